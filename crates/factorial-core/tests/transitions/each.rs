//! Runs a test on each of the layouts that the contract names.

/// `on_each! { async fn what_holds(w) { … } }`: with one partition, with four, and on the in-process engine; `w: &World`.
macro_rules! on_each {
    ($(async fn $name:ident($world:ident) $body:block)*) => {$(
        async fn $name($world: &crate::world::World) $body

        mod $name {
            use crate::world::{On, World};

            #[tokio::test]
            async fn one_partition() {
                super::$name(&World::new(On::Server(1)).await).await;
            }

            #[tokio::test]
            async fn four_partitions() {
                super::$name(&World::new(On::Server(4)).await).await;
            }

            #[tokio::test]
            async fn embedded() {
                super::$name(&World::new(On::Embedded).await).await;
            }
        }
    )*};
}

/// The same on a real server alone, for what the in-process engine does not promise or is too slow for.
macro_rules! on_servers {
    ($(async fn $name:ident($world:ident) $body:block)*) => {$(
        async fn $name($world: &crate::world::World) $body

        mod $name {
            use crate::world::{On, World};

            #[tokio::test]
            async fn one_partition() {
                super::$name(&World::new(On::Server(1)).await).await;
            }

            #[tokio::test]
            async fn four_partitions() {
                super::$name(&World::new(On::Server(4)).await).await;
            }
        }
    )*};
}
