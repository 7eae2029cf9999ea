//! `factorial` called by the name of a service is that service.
//!
//! An image holds one file under all names, which is a third of the size of a file for each.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// The program that goes by the name that `args` begin with, unless that is `factorial` itself.
pub(crate) fn named(args: &[OsString]) -> Option<fn(Vec<OsString>) -> ExitCode> {
    match Path::new(args.first()?).file_stem()?.to_str()? {
        "factorial-gateway" => Some(factorial_gateway::main),
        "factorial-worker" => Some(factorial_worker::main),
        "factorial-reaper" => Some(factorial_reaper::main),
        "factorial-dashboard" => Some(factorial_dashboard::main),
        "factorial-sim" => Some(factorial_sim::main),
        _ => None,
    }
}
