//! The servers behind an address: one, or the masters of a cluster.

use deadpool_redis::redis::{
    self, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, Value,
    io::tcp::TcpSettings,
};

use crate::error::BenchError;

/// Clients of all servers that have keys.
///
/// # Errors
/// When none answers, or the address is of a kind that cannot be measured.
pub(crate) async fn clients(url: &str) -> Result<Vec<Client>, BenchError> {
    // As the services connect.
    let tcp = TcpSettings::default().set_nodelay(true);
    if url.contains("-sentinel://") {
        let text = "Sentinels are not measured: name the master itself";
        return Err(BenchError::Options(text.to_owned()));
    }
    let Some((scheme, rest)) = url.split_once("-cluster://") else {
        let info = url
            .into_connection_info()
            .map_err(BenchError::Unreachable)?;
        let info = info.set_tcp_settings(tcp);
        return Ok(vec![Client::open(info).map_err(BenchError::Unreachable)?]);
    };
    let (credentials, hosts) = rest.rsplit_once('@').unwrap_or(("", rest));
    let at = if credentials.is_empty() { "" } else { "@" };
    let mut unreachable = None;
    for host in hosts.trim_end_matches('/').split(',') {
        let seed = format!("{scheme}://{credentials}{at}{host}");
        let seed = seed
            .into_connection_info()
            .map_err(BenchError::Unreachable)?;
        let seed = seed.set_tcp_settings(tcp.clone());
        match masters(&seed).await {
            Ok(clients) => return Ok(clients),
            Err(error) => unreachable = Some(BenchError::Unreachable(error)),
        }
    }
    Err(unreachable.unwrap_or_else(|| BenchError::Options("the address has no host".to_owned())))
}

async fn masters(seed: &ConnectionInfo) -> Result<Vec<Client>, redis::RedisError> {
    let client = Client::open(seed.clone())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut slots = redis::cmd("CLUSTER");
    // Of each range: its first and last slot, its master, and replicas. Of a server: host, port, and what follows.
    let answer: Vec<Vec<Value>> = slots.arg("SLOTS").query_async(&mut connection).await?;
    let mut found: Vec<(String, u16)> = Vec::new();
    for range in answer {
        let master = range.into_iter().nth(2).unwrap_or(Value::Nil);
        let mut master: Vec<Value> = redis::from_redis_value(master)?;
        master.truncate(2);
        let (host, port): (Option<String>, u16) = redis::from_redis_value(Value::Array(master))?;
        let host = host.filter(|host| !host.is_empty());
        let place = (host.unwrap_or_else(|| host_of(seed)), port);
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
        .into_iter()
        .map(|(host, port)| {
            let addr = match seed.addr() {
                ConnectionAddr::TcpTls {
                    insecure,
                    tls_params,
                    ..
                } => ConnectionAddr::TcpTls {
                    host,
                    port,
                    insecure: *insecure,
                    tls_params: tls_params.clone(),
                },
                _ => ConnectionAddr::Tcp(host, port),
            };
            Client::open(seed.clone().set_addr(addr))
        })
        .collect()
}

fn host_of(info: &ConnectionInfo) -> String {
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => "localhost".to_owned(),
    }
}
