//! Pages of lists that are small enough to be read as a whole.

use factorial_api::Page;

/// The part of a list sorted by `name` that comes after `cursor`, a name, and is at most `limit` long.
pub(crate) fn cut<T>(
    items: Vec<T>,
    cursor: Option<&str>,
    limit: usize,
    name: impl Fn(&T) -> &str,
) -> Page<T> {
    let after = |item: &T| cursor.is_none_or(|cursor| name(item) > cursor);
    let mut data: Vec<T> = items.into_iter().filter(after).collect();
    let more = data.len() > limit;
    data.truncate(limit);
    let last = data.last().map(|item| name(item).to_owned());
    Page {
        data,
        next_cursor: last.filter(|_| more),
    }
}
