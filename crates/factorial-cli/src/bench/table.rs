//! A report for people.

use factorial_bench::{Aim, Figure, Reached, Report};

use crate::output::{Paint, Table, Tint};

/// What was measured where, the ceilings, and the figures.
pub(super) fn report_text(report: &Report, paint: Paint) -> String {
    let mut text = format!(
        "{}: {}, {} repeats, on {}; delivery of {} tasks checked, exact\n\n",
        report.scenario,
        size(report),
        report.repeats,
        report.server,
        grouped(report.tasks_checked),
    );
    let mut table = Table::new(
        paint,
        &[
            "FIGURE", "MEDIAN", "MIN", "MAX", "SPREAD", "UNIT", "SHARE OF", "AIM",
        ],
    );
    for figure in &report.ceilings {
        add(&mut table, &format!("ceiling: {}", figure.name), figure);
    }
    for figure in &report.figures {
        add(&mut table, &figure.name, figure);
    }
    text.push_str(&table.render());
    text
}

fn add(table: &mut Table, name: &str, figure: &Figure) {
    let share = match (figure.share, figure.ceiling) {
        (Some(share), Some(ceiling)) => format!("{share:.2} of {ceiling}"),
        _ => String::new(),
    };
    let plain = |text: String| (text, Tint::Plain);
    table.row([
        plain(name.to_owned()),
        plain(amount(figure.median)),
        (amount(figure.min), Tint::Faint),
        (amount(figure.max), Tint::Faint),
        (format!("{:.0} %", figure.spread() * 100.0), Tint::Faint),
        plain(figure.unit.to_owned()),
        plain(share),
        figure.aim.map_or((String::new(), Tint::Plain), aim),
    ]);
}

/// How much of it there was.
fn size(report: &Report) -> String {
    let mut text = match report.seconds {
        Some(seconds) => format!("{seconds} s"),
        None => format!("{} tasks", grouped(report.tasks)),
    };
    text.push_str(&format!(
        " of {} B, {} at once",
        report.payload_bytes, report.concurrency
    ));
    match report.partitions {
        Some(partitions) if partitions != 1 => format!("{text}, {partitions} partitions"),
        _ => text,
    }
}

/// The bound, and how far the figure is.
fn aim(reached: Reached) -> (String, Tint) {
    let bound = match reached.aim {
        Aim::AtMost(bound) => format!("≤ {}", amount(bound)),
        Aim::AtLeast(bound) => format!("≥ {}", amount(bound)),
        Aim::ShareAtLeast(bound) => format!("≥ {bound:.2} of it"),
    };
    let tint = if reached.met { Tint::Good } else { Tint::Bad };
    (format!("{bound} ({:.2})", reached.share), tint)
}

/// Three digits that tell, and no more behind the point.
fn amount(value: f64) -> String {
    match value.abs() {
        v if v >= 1_000.0 => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rounded positive number"
            )]
            let whole = v.round() as u64;
            let sign = if value < 0.0 { "-" } else { "" };
            format!("{sign}{}", grouped(whole))
        }
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// With a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        assert_eq!(amount(0.0), "0.00");
        assert_eq!(amount(1.234), "1.23");
        assert_eq!(amount(12.34), "12.3");
        assert_eq!(amount(123.4), "123");
        assert_eq!(amount(12_345.6), "12,346");
        assert_eq!(amount(-1_234_567.0), "-1,234,567");
    }
}
