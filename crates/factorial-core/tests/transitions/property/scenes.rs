//! The scenes of which every order is played.

use factorial_core::WaitKind::{Approval, Caller, Operator};

use super::orders::{
    Scene,
    Step::{
        Answer, Ask, Cancel, Cascade, Claim, Deadlines, ExpireWaits, Finish, FinishAgain, Kill,
        Park, ParkAgain, Recover, Release, Retry, Spawn, Steer, TakeAgain,
    },
    explore,
};

/// `scenes! { name: orders, scene, [actor], [actor] …; … }`: on a real server, and on the in-process engine.
macro_rules! scenes {
    ($($name:ident: $orders:literal, $scene:expr, $([$($step:expr),*])*;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn server() {
                assert_eq!(explore(false, $scene, &[$(&[$($step),*]),*]).await, $orders);
            }

            #[tokio::test]
            async fn embedded() {
                assert_eq!(explore(true, $scene, &[$(&[$($step),*]),*]).await, $orders);
            }
        }
    )*};
}

/// The same on a server alone, where there are many orders.
macro_rules! large_scenes {
    ($($name:ident: $orders:literal, $scene:expr, $([$($step:expr),*])*;)*) => {$(
        #[tokio::test]
        async fn $name() {
            assert_eq!(explore(false, $scene, &[$(&[$($step),*]),*]).await, $orders);
        }
    )*};
}

const CHILD: Scene = Scene {
    children: 1,
    grandchild: false,
    asks: &[],
    late: false,
    limit: false,
};
const CHILDREN: Scene = Scene {
    children: 2,
    ..CHILD
};
const LATE_CHILD: Scene = Scene {
    late: true,
    ..CHILD
};
const CALL: Scene = Scene {
    children: 0,
    asks: &[Caller],
    ..CHILD
};
const LATE_CALL: Scene = Scene { late: true, ..CALL };
const MIXED: Scene = Scene {
    asks: &[Approval],
    ..CHILD
};

scenes! {
    a_child_ends_or_is_cancelled: 6, CHILD, [Park(0)] [Finish(1, true)] [Cancel(1)];
    two_children_end: 12, CHILDREN, [Park(0)] [Finish(1, true)] [Finish(2, false), Cascade];
    two_answers: 12, LATE_CALL, [Park(0)] [Answer(0, true), Answer(0, false)] [ExpireWaits];
    a_child_is_late: 12, LATE_CHILD, [Park(0)] [Finish(1, true)] [ExpireWaits, Cascade];
    a_call_and_a_child: 24, MIXED, [Park(0)] [Answer(0, true)] [Finish(1, false)] [Steer(0, false)];
    a_parent_that_is_interrupted: 20, CHILD, [Park(0)] [Finish(1, true)] [Steer(0, true), Claim, ParkAgain(0)];
    a_parent_that_is_cancelled: 24, MIXED, [Park(0)] [Answer(0, true)] [Finish(1, true)] [Cancel(0)];
    the_time_of_a_child_is_over: 12, Scene { limit: true, ..CHILD }, [Park(0)] [Deadlines, Cascade] [Finish(1, true)];
}

large_scenes! {
    a_parent_whose_worker_dies: 30, CHILD, [Park(0)] [Kill(0), Recover, Claim, ParkAgain(0)] [Finish(1, true)];
    a_parent_that_is_handed_back: 60, MIXED, [Release(0), Claim, ParkAgain(0)] [Finish(1, true)] [Answer(0, true), Cascade];
    a_parent_that_is_retried: 105, CHILD, [Park(0)] [Finish(1, false), Retry(1), Claim, FinishAgain(1, true)] [Cancel(0), Retry(0)];
    a_parent_that_fails: 30, CHILD, [Finish(0, false), Retry(0), Claim, ParkAgain(0)] [Finish(1, true)] [Cascade];
    a_worker_dies_under_an_interrupt: 336, CALL,
        [Park(0)] [Answer(0, true)] [Steer(0, true)] [Kill(0), Recover, Claim, TakeAgain(0), ParkAgain(0)];
    everything_at_once: 120, Scene { late: true, ..MIXED },
        [Park(0)] [Answer(0, false)] [Finish(1, true)] [Steer(0, true)] [ExpireWaits];
    a_child_that_takes_workers_down: 42, CHILD, [Park(0)] [Kill(1), Recover, Claim, Kill(1), Recover] [Cancel(0)];
    a_spawn_without_the_lease: 60, CHILD, [Spawn(0), Park(0)] [Kill(0), Recover, Claim] [Finish(1, true)];
    a_call_that_is_made_while_others_act: 420, CHILD,
        [Ask(0, Operator), Park(0)] [Finish(1, true)] [Kill(0), Recover, Claim] [Steer(0, true)];
    three_generations: 360, Scene { grandchild: true, ..CHILD },
        [Park(0)] [Park(1)] [Finish(2, true)] [Cancel(1)] [Steer(0, true), Claim];
}
