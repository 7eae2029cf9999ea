//! Who serves what: the servers that there are now, and in a cluster the slots of each.
//!
//! `link.rs` asks it for each call, and replaces it as a whole when it has learned a newer one.

use std::sync::Arc;

use deadpool_redis::redis::Value;

use crate::{
    error::StoreError,
    node::Node,
    script::{Reply, text},
    slots::SLOTS,
};

/// Nobody serves the slot.
const NOBODY: u16 = u16::MAX;

/// Servers and their slots.
pub(crate) struct Map {
    /// Masters.
    nodes: Box<[Arc<Node>]>,
    /// Slot -> position in `nodes`; empty when there is one for everything.
    slots: Box<[u16]>,
}

impl Map {
    /// One server for everything.
    pub(crate) fn single(node: Arc<Node>) -> Self {
        Self {
            nodes: [node].into(),
            slots: Box::default(),
        }
    }

    /// From ranges of slots with the server of each.
    pub(crate) fn spread(ranges: Vec<(Range, Arc<Node>)>) -> Self {
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        let mut slots = vec![NOBODY; usize::from(SLOTS)].into_boxed_slice();
        for (range, node) in ranges {
            let known = nodes.iter().position(|n| Arc::ptr_eq(n, &node));
            let index = known.unwrap_or_else(|| {
                nodes.push(node);
                nodes.len() - 1
            });
            let index = u16::try_from(index).unwrap_or(NOBODY);
            if let Some(part) = slots.get_mut(usize::from(range.first)..=usize::from(range.last)) {
                part.fill(index);
            }
        }
        Self {
            nodes: nodes.into(),
            slots,
        }
    }

    /// The server of a slot, if somebody serves it.
    pub(crate) fn node(&self, slot: u16) -> Option<&Arc<Node>> {
        if self.slots.is_empty() {
            return self.nodes.first();
        }
        let index = *self.slots.get(usize::from(slot))?;
        self.nodes.get(usize::from(index))
    }

    /// All servers.
    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// A server by `host:port`.
    pub(crate) fn at(&self, address: &str) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|n| n.address() == address)
    }
}

/// Slots of one master, as `CLUSTER SLOTS` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: u16,
    pub(crate) last: u16,
    /// Host; none when the server does not say, which means the one that was asked.
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
}

/// Reads the answer to `CLUSTER SLOTS`: of each range its first and last slot, its master, and replicas.
pub(crate) fn ranges(answer: Value) -> Result<Vec<Range>, StoreError> {
    let corrupt = || StoreError::corrupt("cluster slots", "not as the protocol says");
    let Value::Array(items) = answer else {
        return Err(corrupt());
    };
    let number = |n: i64| u16::try_from(n).map_err(|_| corrupt());
    items
        .into_iter()
        .map(|item| {
            let Value::Array(parts) = item else {
                return Err(corrupt());
            };
            let mut range = Reply::new("cluster slots", parts);
            let (first, last) = (number(range.int()?)?, number(range.int()?)?);
            let mut master = range.array()?;
            let host = match master.value()? {
                Value::Nil => None,
                // Redis writes `?` for a host name that is not configured.
                host => text(host).ok().filter(|h| !h.is_empty() && h != "?"),
            };
            let port = number(master.int()?)?;
            Ok(Range {
                first,
                last,
                host,
                port,
            })
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn the_answer_of_a_cluster_is_read() {
        let master = |host| Value::Array(vec![host, Value::Int(7000), bulk("id")]);
        let range = |first, last, host| {
            Value::Array(vec![
                Value::Int(first),
                Value::Int(last),
                master(host),
                master(bulk("replica")),
            ])
        };
        let answer = Value::Array(vec![
            range(0, 5460, bulk("10.0.0.1")),
            range(5461, 16_383, Value::Nil),
        ]);
        let ranges = ranges(answer).unwrap();
        assert_eq!(ranges.len(), 2);
        assert_eq!((ranges[0].first, ranges[0].last), (0, 5460));
        assert_eq!(ranges[0].host.as_deref(), Some("10.0.0.1"));
        assert_eq!((ranges[1].host.as_deref(), ranges[1].port), (None, 7000));
        assert!(super::ranges(Value::Okay).is_err());
        assert!(super::ranges(Value::Array(vec![Value::Array(vec![Value::Int(-1)])])).is_err());
    }
}
