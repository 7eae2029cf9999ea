//! A network between a service and Redis, or a client and a gateway, that can fall silent: connections stay open, and nothing
//! passes; or that loses answers, or breaks connections in the middle of them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes connections on to a Redis that listens on a port. Dropping it closes them.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
    task: JoinHandle<()>,
}

struct Network {
    /// Connections that were opened before this many falls of silence are dead for ever.
    silenced: watch::Sender<u64>,
    /// Whether new connections are dead as well.
    cut: watch::Sender<bool>,
    opened: AtomicU64,
    lost: Mutex<Lost>,
    /// Of the answers, so many bytes pass before a connection breaks: between these two.
    breaks: Mutex<Option<(usize, usize)>>,
    broken: AtomicU64,
}

/// Requests whose answers are to be lost.
#[derive(Default)]
struct Lost {
    times: usize,
    words: Vec<String>,
}

impl Network {
    /// Whether the answer to what was sent is to be lost.
    fn loses(&self, sent: &[u8]) -> bool {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.times == 0 {
            return false;
        }
        let sent = String::from_utf8_lossy(sent);
        let loses = lost.words.iter().all(|word| sent.contains(word.as_str()));
        lost.times -= usize::from(loses);
        loses
    }
}

impl Proxy {
    /// Starts on a free port, in front of `redis://127.0.0.1:port`.
    ///
    /// # Panics
    /// When the URL has no port, or no port is free.
    pub async fn start(redis_url: &str) -> Self {
        let to: u16 = redis_url
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .and_then(|port| port.split('/').next()?.parse().ok())
            .expect("a URL with a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let network = Arc::new(Network {
            silenced: watch::Sender::new(0),
            cut: watch::Sender::new(false),
            opened: AtomicU64::new(0),
            lost: Mutex::default(),
            breaks: Mutex::default(),
            broken: AtomicU64::new(0),
        });
        let shared = Arc::clone(&network);
        let task = tokio::spawn(async move {
            // The connections end with this task.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.opened.fetch_add(1, Ordering::Relaxed);
                connections.spawn(pass(stream, to, Arc::clone(&shared)));
            }
        });
        Self {
            port,
            network,
            task,
        }
    }

    /// As `--redis-url` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Connections that were ever opened.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.network.opened.load(Ordering::Relaxed)
    }

    /// Half-open: the connections that there are bring nothing any more, and say nothing; new ones work.
    pub fn silence(&self) {
        self.network.silenced.send_modify(|times| *times += 1);
    }

    /// Partition: nothing passes until [`Proxy::heal`]; then new connections work, and what was sent before is lost.
    pub fn cut(&self) {
        self.network.cut.send_replace(true);
        self.silence();
    }

    /// The next requests that contain all these words reach Redis, and when it has answered, their connections break.
    pub fn lose_answers(&self, times: usize, words: &[&str]) {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        *self.lost() = Lost { times, words };
    }

    /// Every connection from now on breaks when a number of bytes between these two, any of them, was answered.
    pub fn break_after(&self, least: usize, most: usize) {
        let breaks = self.network.breaks.lock();
        *breaks.unwrap_or_else(PoisonError::into_inner) = Some((least, most));
    }

    /// Connections that broke so.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.network.broken.load(Ordering::Relaxed)
    }

    /// Answers that are still to be lost.
    #[must_use]
    pub fn to_lose(&self) -> usize {
        self.lost().times
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, Lost> {
        let lost = self.network.lost.lock();
        lost.unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a partition.
    pub fn heal(&self) {
        self.network.cut.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut stream: TcpStream, to: u16, network: Arc<Network>) {
    let mut cut = network.cut.subscribe();
    // What is opened during a partition waits for its end, as packets that are sent again and again.
    if cut.wait_for(|cut| !cut).await.is_err() {
        return;
    }
    let mut silenced = network.silenced.subscribe();
    let born = *silenced.borrow_and_update();
    let Ok(mut redis) = TcpStream::connect(("127.0.0.1", to)).await else {
        return;
    };
    let _ = (stream.set_nodelay(true), redis.set_nodelay(true));
    tokio::select! {
        _ = copy(&mut stream, &mut redis, &network) => return,
        () = async { drop(silenced.wait_for(|times| *times > born).await) } => {}
    }
    // Both ends stay open.
    std::future::pending::<()>().await;
}

/// Until one of them ends, or an answer is lost.
async fn copy(
    client: &mut TcpStream,
    redis: &mut TcpStream,
    network: &Network,
) -> std::io::Result<()> {
    let (mut requests, mut answers) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let breaks = *network
        .breaks
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut left = breaks.map_or(usize::MAX, |(least, most)| rand::random_range(least..=most));
    loop {
        tokio::select! {
            read = client.read(&mut requests) => {
                let sent = &requests[..read?];
                redis.write_all(sent).await?;
                if sent.is_empty() {
                    return Ok(());
                }
                if network.loses(sent) {
                    // It has answered when it has begun to.
                    return redis.readable().await;
                }
            }
            read = redis.read(&mut answers) => {
                let answer = &answers[..read?];
                if answer.is_empty() {
                    return Ok(());
                }
                client.write_all(&answer[..answer.len().min(left)]).await?;
                left = left.saturating_sub(answer.len());
                if left == 0 {
                    network.broken.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
    }
}
