//! How one setting is read from text.
//!
//! Flags, variables, file and defaults all arrive here as text, so that a value means the same wherever it is written.
//! Invariant: a reason never repeats the value; the caller adds it, unless the type is secret.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// A type that one setting can have.
pub(crate) trait Value: Sized {
    /// What to write, for `--help` and error messages: `<NUMBER>`.
    const KIND: &'static str;
    /// Whether the value must never be shown.
    const SECRET: bool = false;

    /// Reads trimmed, non-empty text.
    ///
    /// # Errors
    /// A reason that completes the sentence `"<value>" …`.
    fn parse(text: &str) -> Result<Self, String>;

    /// The size that a range applies to: the number itself, or seconds.
    fn magnitude(&self) -> Option<f64> {
        None
    }
}

macro_rules! whole_numbers {
    ($($ty:ty),+) => {$(
        impl Value for $ty {
            const KIND: &'static str = "NUMBER";

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("is not a whole number up to {}", Self::MAX))
            }

            fn magnitude(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )+};
}
whole_numbers!(u16, u32, u64, usize);

impl Value for f64 {
    const KIND: &'static str = "NUMBER";

    fn parse(text: &str) -> Result<Self, String> {
        match text.parse::<Self>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err("is not a number".to_owned()),
        }
    }

    fn magnitude(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Value for Duration {
    const KIND: &'static str = "SECONDS";

    fn parse(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| not_seconds())?;
        Self::try_from_secs_f64(seconds).map_err(|_| not_seconds())
    }

    fn magnitude(&self) -> Option<f64> {
        Some(self.as_secs_f64())
    }
}

fn not_seconds() -> String {
    "is not a number of seconds (write 30, or 0.5)".to_owned()
}

impl Value for bool {
    const KIND: &'static str = "BOOL";

    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("is neither true nor false".to_owned()),
        }
    }
}

impl Value for String {
    const KIND: &'static str = "TEXT";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "PATH";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl Value for SecretString {
    const KIND: &'static str = "SECRET";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl Value for Url {
    const KIND: &'static str = "URL";

    fn parse(text: &str) -> Result<Self, String> {
        let url = Self::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
        if matches!(url.scheme(), "http" | "https") {
            Ok(url)
        } else {
            Err("is not an http or https URL".to_owned())
        }
    }
}
