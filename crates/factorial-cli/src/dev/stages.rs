//! The roles as tasks of the runtime, and the order in which they end.
//!
//! Invariant: a role is asked to drain only after the one before it in the list has ended, so that workers can still
//! commit, and clients still see it.

use futures::future::{poll_immediate, select_all};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use factorial_service::Shutdown;

use super::error::DevError;
use crate::output::Printer;

/// A role at work.
struct Stage {
    role: &'static str,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), String>>,
}

/// The roles, in the order of their end.
#[derive(Default)]
pub(crate) struct Stages(Vec<Stage>);

impl Stages {
    /// Starts a role; when this returns, it has begun and is known to the health of the process.
    pub(crate) async fn start<F>(&mut self, role: &'static str, shutdown: Shutdown, work: F)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let (begun, has_begun) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut work = Box::pin(work);
            let first = poll_immediate(&mut work).await;
            // Nobody listens when the start was given up.
            let _ = begun.send(());
            match first {
                Some(result) => result,
                None => work.await,
            }
        });
        let _ = has_begun.await;
        self.0.push(Stage {
            role,
            shutdown,
            task,
        });
    }

    /// Whether nothing has been started.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until one of them ends although nobody asked it to.
    pub(crate) async fn ended(&mut self) -> DevError {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let (result, index, _) = select_all(self.0.iter_mut().map(|stage| &mut stage.task)).await;
        let stage = self.0.remove(index);
        let reason = match result {
            Ok(Ok(())) => "without saying why".to_owned(),
            Ok(Err(reason)) => reason,
            Err(panic) => panic.to_string(),
        };
        DevError::Ended {
            role: stage.role,
            reason,
        }
    }

    /// Ends one after the other; at once as soon as `user` says so.
    pub(crate) async fn stop(&mut self, user: &Shutdown, printer: &Printer) {
        for mut stage in self.0.drain(..) {
            stage.shutdown.start_drain();
            let result = tokio::select! {
                result = &mut stage.task => result,
                () = user.now.cancelled() => {
                    stage.shutdown.stop_now();
                    (&mut stage.task).await
                }
            };
            let line = match result {
                Ok(Ok(())) => format!("  {} stopped", stage.role),
                Ok(Err(reason)) => format!("  {} failed: {reason}", stage.role),
                Err(panic) => format!("  {} failed: {panic}", stage.role),
            };
            printer.note(&line);
        }
    }
}
