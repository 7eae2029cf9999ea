//! Values that a JSON Schema accepts, made of the words and numbers of a query.

mod pattern;
mod sampler;
mod scalar;

pub(crate) use sampler::Sampler;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
