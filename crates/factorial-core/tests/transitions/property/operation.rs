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
    Spawn(Spawn),
    /// Registers the wait for a call.
    Ask {
        holder: usize,
        kind: usize,
        late: bool,
    },
    /// Commits all answers that there are.
    Take {
        holder: usize,
    },
    Park {
        holder: usize,
    },
    Answer(Answering),
    ExpireWaits,
    Cascade,
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
        interrupt: bool,
    },
    Retry {
        task: usize,
    },
    Expire {
        end: usize,
    },
    Reconcile,
}

/// Children of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawn {
    pub(crate) holder: usize,
    pub(crate) agent: usize,
    pub(crate) count: usize,
    pub(crate) awaited: bool,
    /// The time to wait is over at once.
    pub(crate) late: bool,
    /// Their own time is.
    pub(crate) limit: bool,
}

/// An answer to one of the waits of a task, or to none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answering {
    pub(crate) task: usize,
    pub(crate) wait: usize,
    /// A result or a yes; an error or a no.
    pub(crate) well: bool,
    pub(crate) payload: u8,
    /// As if it were of another kind.
    pub(crate) wrong_kind: bool,
}

fn fan_out() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 1..4_usize, 2 => 4..12_usize, 1 => 12..=50_usize]
}

fn number() -> std::ops::Range<usize> {
    0..1_024
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.15)
}

fn enqueue() -> impl Strategy<Value = Op> {
    let priority = prop_oneof![Just(0), Just(5), Just(9)];
    let previous = proptest::option::weighted(0.3, number());
    (
        0..2_usize,
        0..2_usize,
        priority,
        rarely(),
        rarely(),
        previous,
    )
        .prop_map(
            |(agent, owner, priority, later, limit, previous)| Op::Enqueue {
                agent,
                owner,
                priority,
                later,
                limit,
                previous,
            },
        )
}

/// What workers do with a task of their own.
fn work() -> impl Strategy<Value = Op> {
    let n = number;
    prop_oneof![
        5 => (n(), any::<bool>()).prop_map(|(holder, boundary)| Op::Commit { holder, boundary }),
        4 => (n(), any::<bool>()).prop_map(|(holder, well)| Op::Finish { holder, well }),
        2 => n().prop_map(|holder| Op::Release { holder }),
        2 => n().prop_map(|holder| Op::BackOff { holder }),
        1 => n().prop_map(|holder| Op::Renew { holder }),
    ]
}

/// What parents do, and those that answer them.
fn waits() -> impl Strategy<Value = Op> {
    let n = number;
    let spawn = (
        n(),
        0..2_usize,
        fan_out(),
        prop::bool::weighted(0.8),
        rarely(),
        rarely(),
    )
        .prop_map(|(holder, agent, count, awaited, late, limit)| {
            Op::Spawn(Spawn {
                holder,
                agent,
                count,
                awaited,
                late,
                limit,
            })
        });
    let answer = (n(), n(), any::<bool>(), 0..2_u8, rarely()).prop_map(
        |(task, wait, well, payload, wrong_kind)| {
            Op::Answer(Answering {
                task,
                wait,
                well,
                payload,
                wrong_kind,
            })
        },
    );
    prop_oneof![
        6 => spawn,
        5 => (n(), 0..3_usize, prop::bool::weighted(0.3))
            .prop_map(|(holder, kind, late)| Op::Ask { holder, kind, late }),
        3 => n().prop_map(|holder| Op::Take { holder }),
        9 => n().prop_map(|holder| Op::Park { holder }),
        8 => answer,
        1 => Just(Op::ExpireWaits),
        1 => Just(Op::Cascade),
    ]
}

/// What clients, operators, time and the reaper do.
fn others() -> impl Strategy<Value = Op> {
    let n = number;
    prop_oneof![
        8 => n().prop_map(|task| Op::ExpireLease { task }),
        6 => Just(Op::Recover),
        4 => Just(Op::Promote),
        2 => Just(Op::Deadlines),
        4 => n().prop_map(|task| Op::Cancel { task }),
        6 => (n(), 1..4_usize, prop::bool::weighted(0.5))
            .prop_map(|(task, messages, interrupt)| Op::Steer { task, messages, interrupt }),
        4 => n().prop_map(|task| Op::Retry { task }),
        1 => (0..3_usize).prop_map(|end| Op::Expire { end }),
        1 => Just(Op::Reconcile),
    ]
}

/// Anything, mostly small.
pub(crate) fn sequence() -> impl Strategy<Value = Vec<Op>> {
    let claim = (number(), 1..4_usize).prop_map(|(task, most)| Op::Claim { task, most });
    let op = prop_oneof![4 => enqueue(), 8 => claim, 14 => work(), 10 => waits(), 18 => others()];
    proptest::collection::vec(op, 1..200)
}

/// A few roots that are held from the start, and the trees that grow from them.
pub(crate) fn trees() -> impl Strategy<Value = Vec<Op>> {
    let claim = (number(), 1..12_usize).prop_map(|(task, most)| Op::Claim { task, most });
    let op = prop_oneof![12 => claim, 8 => work(), 26 => waits(), 8 => others()];
    (1..4_usize, proptest::collection::vec(op, 20..200)).prop_map(|(roots, ops)| {
        let root = |owner| Op::Enqueue {
            agent: 0,
            owner,
            priority: 5,
            later: false,
            limit: false,
            previous: None,
        };
        let held = Op::Claim { task: 1, most: 3 };
        (0..roots)
            .map(|i| root(i % 2))
            .chain([held])
            .chain(ops)
            .collect()
    })
}
