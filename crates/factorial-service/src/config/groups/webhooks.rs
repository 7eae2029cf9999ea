//! How events are delivered to webhooks.

use crate::config::group::config_group;

config_group! {
    /// Delivery of events to webhooks, by the reaper.
    pub struct WebhooksConfig, "Webhooks", in "webhooks" {
        /// Whether receivers may have private, loopback and other special addresses: false if absent, but true for `factorial dev` on a loopback address.
        /// Whoever may submit a task can then have requests sent inside the network of the reaper.
        allow_private_networks: Option<bool>, name "webhooks_allow_private_networks";
        /// Deliveries that one reaper process makes at once.
        max_in_flight: u32 = "64", name "webhooks_max_in_flight", range 1.0 to 10000.0;
        /// Of these, deliveries to one host.
        max_in_flight_per_host: u32 = "8", name "webhooks_max_in_flight_per_host", range 1.0 to 10000.0;
    }
}
