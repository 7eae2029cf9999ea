//! The admin port of a process.

use crate::config::group::config_group;

config_group! {
    /// The admin port answers `/livez`, `/readyz` and `/metrics`. It has no authentication: keep it inside.
    pub struct AdminConfig, "Admin port", in "" {
        /// Address that the admin port listens on.
        host: String = "127.0.0.1", name "admin_host";
        /// The admin port; 0 takes any free one. The default differs by role, so that all of them fit on one machine.
        port: u16 = "8001", name "admin_port";
    }
}
