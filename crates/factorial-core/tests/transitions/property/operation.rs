//! The operations of the random sequences, and how often each comes.

use proptest::prelude::*;

/// An operation. Numbers that pick a task or a holder are taken modulo how many there are.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Enqueue {
        agent: usize,
        owner: usize,
        priority: u8,
        later: bool,
        limit: bool,
        parent: Option<usize>,
        previous: Option<usize>,
    },
    /// Where that task is, of its agent.
    Claim {
        task: usize,
        most: usize,
    },
    Commit {
        holder: usize,
        boundary: bool,
    },
    Finish {
        holder: usize,
        well: bool,
    },
    Release {
        holder: usize,
    },
    BackOff {
        holder: usize,
    },
    Renew {
        holder: usize,
    },
    ExpireLease {
        task: usize,
    },
    Recover,
    Promote,
    Deadlines,
    Cancel {
        task: usize,
    },
    Steer {
        task: usize,
        messages: usize,
    },
    Retry {
        task: usize,
    },
    Expire {
        end: usize,
    },
    Reconcile,
}

pub(crate) fn any_op() -> impl Strategy<Value = Op> {
    let n = 0..64_usize;
    let relative = || proptest::option::weighted(0.3, 0..64_usize);
    prop_oneof![
        4 => (0..2_usize, 0..2_usize, prop_oneof![Just(0), Just(5), Just(9)], prop::bool::weighted(0.15),
              prop::bool::weighted(0.15), relative(), relative())
            .prop_map(|(agent, owner, priority, later, limit, parent, previous)| {
                Op::Enqueue { agent, owner, priority, later, limit, parent, previous }
            }),
        8 => (n.clone(), 1..4_usize).prop_map(|(task, most)| Op::Claim { task, most }),
        5 => (n.clone(), any::<bool>()).prop_map(|(holder, boundary)| Op::Commit { holder, boundary }),
        4 => (n.clone(), any::<bool>()).prop_map(|(holder, well)| Op::Finish { holder, well }),
        2 => n.clone().prop_map(|holder| Op::Release { holder }),
        2 => n.clone().prop_map(|holder| Op::BackOff { holder }),
        1 => n.clone().prop_map(|holder| Op::Renew { holder }),
        4 => n.clone().prop_map(|task| Op::ExpireLease { task }),
        3 => Just(Op::Recover),
        2 => Just(Op::Promote),
        1 => Just(Op::Deadlines),
        2 => n.clone().prop_map(|task| Op::Cancel { task }),
        3 => (n.clone(), 1..4_usize).prop_map(|(task, messages)| Op::Steer { task, messages }),
        2 => n.prop_map(|task| Op::Retry { task }),
        1 => (0..3_usize).prop_map(|end| Op::Expire { end }),
        1 => Just(Op::Reconcile),
    ]
}
