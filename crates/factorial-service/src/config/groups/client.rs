//! How the command line finds a gateway.

use secrecy::SecretString;
use url::Url;

use crate::config::group::config_group;

config_group! {
    /// How the `factorial` command reaches a gateway.
    pub struct ClientConfig, "Client", in "client" {
        /// Base URL of the gateway.
        url: Url = "http://127.0.0.1:8000";
        /// Key that is sent to the gateway as a bearer token.
        api_key: Option<SecretString>;
    }
}
