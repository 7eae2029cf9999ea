//! A report as a table of the document.

use anyhow::Context as _;
use serde_json::Value;

/// Ceilings first, then the figures.
pub(super) fn of(report: &Value) -> anyhow::Result<String> {
    let figures = |name: &str| {
        report[name]
            .as_array()
            .with_context(|| format!("no {name}"))
    };
    let mut text = format!(
        "{}; {} repeats; delivery of {} tasks checked.\n\n\
         | figure | median | range | unit | share of its ceiling | aim |\n| --- | ---: | ---: | --- | ---: | --- |\n",
        size(report),
        report["repeats"],
        amount(report["tasks_checked"].as_f64().unwrap_or_default()),
    );
    for figure in figures("ceilings")? {
        text.push_str(&row(figure, "ceiling: ")?);
    }
    for figure in figures("figures")? {
        text.push_str(&row(figure, "")?);
    }
    Ok(text)
}

fn size(report: &Value) -> String {
    let mut text = match report["seconds"].as_f64() {
        Some(seconds) => format!("{} s", amount(seconds)),
        None => format!(
            "{} tasks",
            amount(report["tasks"].as_f64().unwrap_or_default())
        ),
    };
    text.push_str(&format!(
        " of {} B, {} at once",
        report["payload_bytes"], report["concurrency"]
    ));
    match report["partitions"].as_u64() {
        Some(partitions) if partitions != 1 => format!("{text}, {partitions} partitions"),
        _ => text,
    }
}

fn row(figure: &Value, prefix: &str) -> anyhow::Result<String> {
    let number = |name: &str| {
        figure[name]
            .as_f64()
            .with_context(|| format!("no {name} in {figure}"))
    };
    let name = figure["name"].as_str().context("a figure without a name")?;
    let unit = figure["unit"].as_str().unwrap_or_default();
    let share = match (figure["share"].as_f64(), figure["ceiling"].as_str()) {
        (Some(share), Some(ceiling)) => format!("{share:.2} of {ceiling}"),
        _ => String::new(),
    };
    let (median, min, max) = (number("median")?, number("min")?, number("max")?);
    let (median, range) = (amount(median), format!("{} – {}", amount(min), amount(max)));
    Ok(format!(
        "| {prefix}{name} | {median} | {range} | {unit} | {share} | {} |\n",
        aim(&figure["aim"])
    ))
}

/// The bound, the figure as a share of it, and whether it is kept.
fn aim(reached: &Value) -> String {
    let bound = |name: &str| reached["aim"][name].as_f64();
    let text = match (bound("at_most"), bound("at_least"), bound("share_at_least")) {
        (Some(bound), ..) => format!("≤ {}", amount(bound)),
        (_, Some(bound), _) => format!("≥ {}", amount(bound)),
        (.., Some(bound)) => format!("≥ {bound:.2} of it"),
        _ => return String::new(),
    };
    let share = reached["share"].as_f64().unwrap_or_default();
    let kept = if reached["met"] == true {
        "kept"
    } else {
        "**missed**"
    };
    format!("{text} ({share:.2}, {kept})")
}

/// Three digits that tell, with a comma before every three.
fn amount(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ if value.fract() == 0.0 => 0,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = match text.split_once('.') {
        Some((whole, rest)) => (whole, format!(".{rest}")),
        None => (text.as_str(), String::new()),
    };
    let (sign, whole) = whole
        .strip_prefix('-')
        .map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{aim, amount, of};

    #[test]
    fn amounts_are_short() {
        let texts = [0.0, 1.234, 12.34, 123.4, 12_345.6, -1_234_567.0].map(amount);
        assert_eq!(texts, ["0", "1.23", "12.3", "123", "12,346", "-1,234,567"]);
    }

    #[test]
    fn an_aim_tells_whether_it_is_kept() {
        let reached = json!({ "aim": { "at_most": 20.0 }, "share": 1.5, "met": false });
        assert_eq!(aim(&reached), "≤ 20.0 (1.50, **missed**)");
        assert_eq!(aim(&json!(null)), "");
    }

    #[test]
    fn a_report_becomes_a_table() {
        let figure =
            json!({ "name": "drain", "unit": "tasks/s", "median": 1.0, "min": 1.0, "max": 2.0 });
        let report = json!({
            "tasks": 50000, "payload_bytes": 200, "concurrency": 100, "repeats": 3, "tasks_checked": 150000,
            "partitions": 1, "ceilings": [], "figures": [figure],
        });
        let table = of(&report).unwrap_or_default();
        assert!(
            table.starts_with("50,000 tasks of 200 B, 100 at once; 3 repeats;"),
            "{table}"
        );
        assert!(
            table.ends_with("| drain | 1 | 1 – 2 | tasks/s |  |  |\n"),
            "{table}"
        );
    }
}
