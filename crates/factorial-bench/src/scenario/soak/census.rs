//! How large everything is at a tenth, half and the whole of the time.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::BenchError;
use crate::process::RoleProcess;
use crate::report::Measure;
use crate::stage::Stage;
use crate::stats::number;

const MIB: f64 = 1_048_576.0;
/// When, in hundredths of the time.
const AT: [u32; 3] = [10, 50, 100];

/// Who is looked at.
pub(super) struct Census<'a> {
    pub(super) stage: &'a Stage<'a>,
    /// One that is not killed.
    pub(super) worker: &'a RoleProcess,
    pub(super) gateway: &'a RoleProcess,
    pub(super) reaper: &'a RoleProcess,
}

impl Census<'_> {
    /// Looks at each time. The end compared with the middle says what grows.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn take(&self, lasts: Duration) -> Result<Vec<Measure>, BenchError> {
        let started = Instant::now();
        let mut looks: Vec<[Option<f64>; 5]> = Vec::new();
        for hundredths in AT {
            sleep_until(started + lasts * hundredths / 100).await;
            looks.push(self.look().await?);
        }
        let names = [
            "redis memory",
            "redis rss",
            "worker rss",
            "gateway rss",
            "reaper rss",
        ];
        let mut measures = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let of = |look: &[Option<f64>; 5]| look.get(index).copied().flatten();
            for (look, hundredths) in looks.iter().zip(AT) {
                let value = of(look);
                let name = format!("{name} at {hundredths} %");
                measures.extend(value.map(|value| Measure::new(name, "MiB", value)));
            }
            if let [_, Some(middle), Some(end)] = looks.iter().map(of).collect::<Vec<_>>()[..] {
                let name = format!("{name}, end / middle");
                measures.push(Measure::new(name, "×", end / middle.max(f64::EPSILON)));
            }
        }
        Ok(measures)
    }

    async fn look(&self) -> Result<[Option<f64>; 5], BenchError> {
        let sample = self.stage.server.sample().await?;
        Ok([
            Some(number(sample.memory) / MIB),
            Some(number(sample.rss) / MIB),
            self.worker.resident_mib(),
            self.gateway.resident_mib(),
            self.reaper.resident_mib(),
        ])
    }
}
