//! Arithmetic expressions for the calculator.
//!
//! A precedence climber over bytes. Invariant: depth and length are bounded, so no input can exhaust the stack.

/// Longest expression in bytes.
pub(super) const MAX_BYTES: usize = 1000;
/// Deepest nesting.
const MAX_DEPTH: u32 = 64;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpressionError {
    #[error("the expression is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("the expression is nested deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("unexpected {found} at position {position}")]
    Unexpected { found: String, position: usize },
    #[error("unknown name `{0}`")]
    UnknownName(String),
    #[error("`{0}` takes another number of arguments")]
    Arity(String),
    #[error("the result is not a finite number")]
    NotFinite,
}

/// The value of `text`.
pub(super) fn evaluate(text: &str) -> Result<f64, ExpressionError> {
    if text.len() > MAX_BYTES {
        return Err(ExpressionError::TooLong);
    }
    let mut parser = Parser {
        text: text.as_bytes(),
        at: 0,
        depth: 0,
    };
    let value = parser.sum()?;
    if parser.peek().is_some() {
        return Err(parser.unexpected());
    }
    if value.is_finite() {
        Ok(value)
    } else {
        Err(ExpressionError::NotFinite)
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn unexpected(&mut self) -> ExpressionError {
        let found = match self.peek() {
            Some(byte) if byte.is_ascii_graphic() => format!("`{}`", char::from(byte)),
            Some(_) => "character".to_owned(),
            None => "end".to_owned(),
        };
        ExpressionError::Unexpected {
            found,
            position: self.at,
        }
    }

    fn sum(&mut self) -> Result<f64, ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExpressionError::TooDeep);
        }
        let mut value = self.product()?;
        loop {
            if self.eat(b'+') {
                value += self.product()?;
            } else if self.eat(b'-') {
                value -= self.product()?;
            } else {
                self.depth -= 1;
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, ExpressionError> {
        let mut value = self.signed()?;
        loop {
            if self.eat(b'*') {
                value *= self.signed()?;
            } else if self.eat(b'/') {
                value /= self.signed()?;
            } else if self.eat(b'%') {
                value %= self.signed()?;
            } else {
                return Ok(value);
            }
        }
    }

    /// A sign binds weaker than a power: `-2^2` is -4.
    fn signed(&mut self) -> Result<f64, ExpressionError> {
        let mut negative = false;
        loop {
            if self.eat(b'-') {
                negative = !negative;
            } else if !self.eat(b'+') {
                break;
            }
        }
        let value = self.power()?;
        Ok(if negative { -value } else { value })
    }

    /// Powers group from the right: `2^3^2` is 512.
    fn power(&mut self) -> Result<f64, ExpressionError> {
        let base = self.atom()?;
        if !self.eat(b'^') {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExpressionError::TooDeep);
        }
        let exponent = self.signed()?;
        self.depth -= 1;
        Ok(base.powf(exponent))
    }

    fn atom(&mut self) -> Result<f64, ExpressionError> {
        match self.peek() {
            Some(b'(') => {
                self.at += 1;
                let value = self.sum()?;
                if self.eat(b')') {
                    Ok(value)
                } else {
                    Err(self.unexpected())
                }
            }
            Some(byte) if byte.is_ascii_digit() || byte == b'.' => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() => self.name(),
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<f64, ExpressionError> {
        let start = self.at;
        while let Some(byte) = self.text.get(self.at) {
            let after_e =
                self.at > start && matches!(self.text.get(self.at - 1), Some(b'e' | b'E'));
            match byte {
                b'0'..=b'9' | b'.' => {}
                b'e' | b'E'
                    if matches!(self.text.get(self.at + 1), Some(b'0'..=b'9' | b'+' | b'-')) => {}
                b'+' | b'-' if after_e => {}
                _ => break,
            }
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        text.parse().map_err(|_| ExpressionError::Unexpected {
            found: format!("`{text}`"),
            position: start,
        })
    }

    fn name(&mut self) -> Result<f64, ExpressionError> {
        let start = self.at;
        while self
            .text
            .get(self.at)
            .is_some_and(u8::is_ascii_alphanumeric)
        {
            self.at += 1;
        }
        let name = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        if !self.eat(b'(') {
            return match name.as_str() {
                "pi" => Ok(std::f64::consts::PI),
                "e" => Ok(std::f64::consts::E),
                _ => Err(ExpressionError::UnknownName(name)),
            };
        }
        let mut args = vec![self.sum()?];
        while self.eat(b',') {
            args.push(self.sum()?);
        }
        if !self.eat(b')') {
            return Err(self.unexpected());
        }
        apply(&name, &args)
    }
}

fn apply(name: &str, args: &[f64]) -> Result<f64, ExpressionError> {
    let one: fn(f64) -> f64 = match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "cos" => f64::cos,
        "exp" => f64::exp,
        "floor" => f64::floor,
        "ln" => f64::ln,
        "log10" => f64::log10,
        "round" => f64::round,
        "sin" => f64::sin,
        "sqrt" => f64::sqrt,
        "tan" => f64::tan,
        "max" => return Ok(args.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        "min" => return Ok(args.iter().copied().fold(f64::INFINITY, f64::min)),
        _ => return Err(ExpressionError::UnknownName(name.to_owned())),
    };
    match args {
        [arg] => Ok(one(*arg)),
        _ => Err(ExpressionError::Arity(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values() {
        for (text, value) in [
            ("1 + 2 * 3", 7.0),
            ("(1+2)*3", 9.0),
            ("2^3^2", 512.0),
            ("-2^2", -4.0),
            ("2^-1", 0.5),
            ("7 % 4 - --1", 2.0),
            ("1.5e3 / .5", 3000.0),
            ("2e", f64::NAN),
            ("max(1, sqrt(16), 3) + min(2)", 6.0),
            ("cos(pi) + ln(e)", 0.0),
        ] {
            match evaluate(text) {
                Ok(got) => assert!((got - value).abs() < 1e-12, "{text} = {got}"),
                Err(_) => assert!(value.is_nan(), "{text}"),
            }
        }
    }

    #[test]
    fn errors_are_told() {
        for (text, error) in [
            ("", "unexpected end at position 0"),
            ("1 +", "unexpected end at position 3"),
            ("1 2", "unexpected `2` at position 2"),
            ("(1", "unexpected end at position 2"),
            ("foo(1)", "unknown name `foo`"),
            ("x", "unknown name `x`"),
            ("sqrt(1, 2)", "`sqrt` takes another number of arguments"),
            ("1/0", "the result is not a finite number"),
            ("1.2.3", "unexpected `1.2.3` at position 0"),
            ("é", "unexpected character at position 0"),
        ] {
            assert_eq!(
                evaluate(text).map_err(|error| error.to_string()),
                Err(error.to_owned()),
                "{text}"
            );
        }
        assert_eq!(evaluate(&"(".repeat(900)), Err(ExpressionError::TooDeep));
        assert_eq!(evaluate(&"2^".repeat(400)), Err(ExpressionError::TooDeep));
        assert_eq!(evaluate(&"1".repeat(1001)), Err(ExpressionError::TooLong));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9a-z+*/%^()., \\-é]{0,200}") {
            let _ = evaluate(&text);
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_expression() {
        factorial_fuzz::texts(
            &["1 + 2 * (3 - 4) / 5", "-2 ^ 3 ^ 2", "sqrt(2) % 1e3"],
            |text| {
                if let Ok(value) = evaluate(text) {
                    assert!(value.is_finite());
                }
            },
        );
    }
}
