//! The gateway as the commands see it: a client, the URL for error messages, and where answers are printed.

use std::time::Duration;

use factorial_api::{Page, Time};
use factorial_client::{Client, ClientError, RetryPolicy};
use factorial_service::config::Environment;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Paint, Printer};

/// People wait for the answer, so a gateway that is not there is given up soon; a stream that broke is worth more.
const RETRY: RetryPolicy = RetryPolicy {
    tries: 3,
    stream_tries: 30,
    first: Duration::from_millis(100),
    most: Duration::from_secs(5),
};

/// A gateway to ask.
pub(crate) struct Gateway {
    pub(crate) client: Client,
    pub(crate) printer: Printer,
    url: String,
}

impl Gateway {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub(crate) fn connect(
        common: &Common,
        environment: &Environment,
        printer: Printer,
    ) -> Result<Self, CliError> {
        let config = common.client.load(environment)?.client;
        let url = config.url.as_str().trim_end_matches('/').to_owned();
        let mut builder = Client::builder(&config.url).retry(RETRY);
        if let Some(key) = &config.api_key {
            builder = builder.api_key(key.expose_secret());
        }
        let client = builder
            .build()
            .map_err(|source| CliError::client(source, &url, None))?;
        Ok(Self {
            client,
            printer,
            url,
        })
    }

    /// Waits for an answer.
    ///
    /// # Errors
    /// Why there is none, in words that name the gateway.
    pub(crate) async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, CliError> {
        answer.await.map_err(|source| self.failed(source))
    }

    /// As [`Gateway::ask`], for a question that names an agent.
    ///
    /// # Errors
    /// The same, with agents of similar names.
    pub(crate) async fn ask_about<T>(
        &self,
        answer: impl Future<Output = Result<T, ClientError>>,
        agent: &str,
    ) -> Result<T, CliError> {
        answer
            .await
            .map_err(|source| CliError::client(source, &self.url, Some(agent)))
    }

    /// All pages of a list as one.
    ///
    /// # Errors
    /// As [`Gateway::ask`].
    pub(crate) async fn all<T>(
        &self,
        page: impl AsyncFn(Option<String>) -> Result<Page<T>, ClientError>,
    ) -> Result<Page<T>, CliError> {
        let mut data = Vec::new();
        let mut cursor = None;
        loop {
            let next = self.ask(page(cursor)).await?;
            data.extend(next.data);
            cursor = next.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(Page {
            data,
            next_cursor: None,
        })
    }

    /// The error of a question.
    pub(crate) fn failed(&self, source: ClientError) -> CliError {
        CliError::client(source, &self.url, None)
    }

    /// The error of a question that may name an agent.
    pub(crate) fn failed_about(&self, source: ClientError, agent: Option<&str>) -> CliError {
        CliError::client(source, &self.url, agent)
    }

    /// Prints an answer.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn print<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(Paint) -> String,
    ) -> Result<Exit, CliError> {
        self.printer.print(value, text).map_err(CliError::Output)?;
        Ok(Exit::Success)
    }

    /// Now, by the clock of this machine; for ages only.
    pub(crate) fn now(&self) -> Time {
        Time::from_millis(jiff::Timestamp::now().as_millisecond())
    }
}
