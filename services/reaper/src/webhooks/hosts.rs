//! How much of the room for deliveries each host may take.
//!
//! Invariant: a host that does not answer takes one place at a time, and after some failures in a row only now and then, so
//! that it holds up nobody else.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Failures in a row after which a host takes one place at a time.
const SUSPECT: u32 = 2;
/// Failures in a row after which it is left alone for a while, doubled with each more.
const SILENT: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// What waits for a place looks for it again after this times what waits with it.
const TURN: Duration = Duration::from_millis(250);
/// Most hosts that are remembered.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
struct Host {
    in_flight: usize,
    /// In a row, without an answer.
    failures: u32,
    paused_until: Option<Instant>,
    /// Deliveries that found no place since the last one that did.
    turned_away: u32,
}

/// The hosts that are known to be busy or silent.
#[derive(Debug)]
pub(super) struct Hosts {
    most_each: usize,
    hosts: Mutex<HashMap<String, Host>>,
}

impl Hosts {
    pub(super) fn new(most_each: usize) -> Self {
        Self {
            most_each,
            hosts: Mutex::default(),
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a delivery to a host.
    ///
    /// # Errors
    /// How long to wait before looking again.
    pub(super) fn enter(&self, name: &str, now: Instant) -> Result<(), Duration> {
        let mut hosts = self.hosts();
        if hosts.len() >= MOST && !hosts.contains_key(name) {
            hosts.retain(|_, host| host.in_flight > 0);
        }
        let host = hosts.entry(name.to_owned()).or_default();
        if let Some(left) = host
            .paused_until
            .and_then(|at| at.checked_duration_since(now))
            && !left.is_zero()
        {
            return Err(left);
        }
        let most = if host.failures >= SUSPECT {
            1
        } else {
            self.most_each
        };
        if host.in_flight >= most {
            host.turned_away = host.turned_away.saturating_add(1);
            return Err((TURN * host.turned_away).min(LONGEST_PAUSE / 2));
        }
        host.in_flight += 1;
        host.turned_away = host.turned_away.saturating_sub(1);
        Ok(())
    }

    /// Gives the place back. `answered`: whatever the host said, it said something.
    pub(super) fn leave(&self, name: &str, answered: bool, now: Instant) {
        let mut hosts = self.hosts();
        let Some(host) = hosts.get_mut(name) else {
            return;
        };
        host.in_flight = host.in_flight.saturating_sub(1);
        if answered {
            (host.failures, host.paused_until) = (0, None);
            if host.in_flight == 0 && host.turned_away == 0 {
                hosts.remove(name);
            }
            return;
        }
        host.failures = host.failures.saturating_add(1);
        if host.failures >= SILENT {
            let doubled = 2_u32.saturating_pow((host.failures - SILENT).min(10));
            let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
            host.paused_until = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_takes_so_many_places_and_no_more() {
        let (hosts, now) = (Hosts::new(2), Instant::now());
        assert_eq!(hosts.enter("a", now), Ok(()));
        assert_eq!(hosts.enter("a", now), Ok(()));
        assert_eq!(hosts.enter("a", now), Err(TURN));
        assert_eq!(hosts.enter("a", now), Err(2 * TURN));
        assert_eq!(hosts.enter("b", now), Ok(()));
        hosts.leave("a", true, now);
        assert_eq!(hosts.enter("a", now), Ok(()));
    }

    #[test]
    fn a_silent_host_is_left_alone_longer_and_longer() {
        let (hosts, mut now) = (Hosts::new(8), Instant::now());
        for _ in 0..SUSPECT {
            assert_eq!(hosts.enter("a", now), Ok(()));
        }
        for _ in 0..SUSPECT {
            hosts.leave("a", false, now);
        }
        assert_eq!(hosts.enter("a", now), Ok(()));
        assert_eq!(hosts.enter("a", now), Err(TURN));
        hosts.leave("a", false, now);
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            while hosts.enter("a", now).is_ok() {
                hosts.leave("a", false, now);
            }
            let pause = Duration::from_secs(pause);
            assert_eq!(hosts.enter("a", now), Err(pause));
            now += pause;
        }
        assert_eq!(hosts.enter("a", now), Ok(()));
        hosts.leave("a", true, now);
        for _ in 0..8 {
            assert_eq!(hosts.enter("a", now), Ok(()));
        }
    }

    #[test]
    fn hosts_are_forgotten() {
        let (hosts, now) = (Hosts::new(1), Instant::now());
        for i in 0..2 * MOST {
            let name = i.to_string();
            assert_eq!(hosts.enter(&name, now), Ok(()));
            hosts.leave(&name, i % 2 == 0, now);
        }
        assert!(hosts.hosts().len() <= MOST);
    }
}
