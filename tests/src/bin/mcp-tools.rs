//! A server of tools over standard input and output, for tests.

use std::sync::Arc;

use factorial_tests::mcp::McpTools;
use rmcp::{ServiceExt, transport::stdio};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::expect_used, reason = "it is a part of tests")]
async fn main() {
    eprintln!("serving {:?}", std::env::args().skip(1).collect::<Vec<_>>());
    let server = McpTools::new(Arc::default()).serve(stdio()).await;
    server.expect("a client").waiting().await.expect("an end");
}
