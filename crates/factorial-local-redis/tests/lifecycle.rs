//! Starts, stops, kills and pauses, on data that stays and on data that goes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use deadpool_redis::redis::{self, Client, Commands, Connection};
use factorial_local_redis::{ControlError, Engine, Listen, LocalRedis, Options, StartError};
use rustix::process::{Pid, test_kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{Signal, kill_process};

const BOTH: [Engine; 2] = [Engine::Server, Engine::Embedded];

fn options(engine: Engine, dir: &Path) -> Options {
    Options {
        engine,
        data_dir: Some(dir.to_path_buf()),
        ..Options::default()
    }
}

fn connect(url: &str) -> Connection {
    Client::open(url).unwrap().get_connection().unwrap()
}

fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !check() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn fill(conn: &mut Connection) {
    let () = conn.set("s", "kept").unwrap();
    let () = conn.rpush("l", &["a", "b"]).unwrap();
    let () = conn.hset("h", "f", "v").unwrap();
    let () = conn.zadd("z", "m", 1_700_000_000_123.0).unwrap();
    let () = conn.sadd("set", "x").unwrap();
    let () = redis::cmd("SET")
        .arg(&["t", "v", "PX", "600000"])
        .query(conn)
        .unwrap();
    let _: String = redis::cmd("XADD")
        .arg(&["x", "1-1", "f", "v"])
        .query(conn)
        .unwrap();
}

fn check(conn: &mut Connection) {
    assert_eq!(conn.get::<_, String>("s").unwrap(), "kept");
    assert_eq!(
        conn.lrange::<_, Vec<String>>("l", 0, -1).unwrap(),
        ["a", "b"]
    );
    assert_eq!(conn.hget::<_, _, String>("h", "f").unwrap(), "v");
    assert_eq!(
        conn.zscore::<_, _, f64>("z", "m").unwrap(),
        1_700_000_000_123.0
    );
    assert!(conn.sismember::<_, _, bool>("set", "x").unwrap());
    assert!((1..=600_000).contains(&conn.pttl::<_, i64>("t").unwrap()));
    assert_eq!(redis::cmd("XLEN").arg("x").query::<i64>(conn).unwrap(), 1);
}

#[test]
fn a_second_start_finds_the_data_of_the_first() {
    for engine in BOTH {
        let home = tempfile::tempdir().unwrap();
        let first = LocalRedis::start(options(engine, home.path())).unwrap();
        assert!(first.describe().contains("in "), "{}", first.describe());
        fill(&mut connect(&first.url()));
        drop(first);
        let mut second = LocalRedis::start(options(engine, home.path())).unwrap();
        check(&mut connect(&second.url()));
        second.stop().unwrap();
        assert!(matches!(second.stop(), Err(ControlError::NotRunning)));
        second.restart().unwrap();
        check(&mut connect(&second.url()));
    }
}

#[test]
fn a_restart_keeps_data_and_address() {
    for engine in BOTH {
        for listen in [Listen::Unix, Listen::Tcp { port: 0 }] {
            let mut server = LocalRedis::start(Options {
                engine,
                listen,
                ..Options::default()
            })
            .unwrap();
            let url = server.url();
            fill(&mut connect(&url));
            server.restart().unwrap();
            assert_eq!(server.url(), url);
            check(&mut connect(&url));
        }
    }
}

#[test]
fn a_killed_server_keeps_what_it_answered() {
    let mut server = LocalRedis::start(Options {
        engine: Engine::Server,
        ..Options::default()
    })
    .unwrap();
    let mut conn = connect(&server.url());
    fill(&mut conn);
    for i in 0..500 {
        let () = conn.rpush("many", i).unwrap();
    }
    server.kill();
    assert!(!server.is_running() && server.pid().is_none());
    conn.get::<_, String>("s").unwrap_err();
    assert!(
        Client::open(server.url())
            .unwrap()
            .get_connection()
            .is_err()
    );
    server.restart().unwrap();
    let mut conn = connect(&server.url());
    check(&mut conn);
    assert_eq!(conn.llen::<_, i64>("many").unwrap(), 500);
}

#[test]
fn a_killed_engine_falls_back_to_its_snapshot() {
    let mut server = LocalRedis::start(Options {
        engine: Engine::Embedded,
        ..Options::default()
    })
    .unwrap();
    let mut conn = connect(&server.url());
    fill(&mut conn);
    let () = redis::cmd("SAVE").query(&mut conn).unwrap();
    let () = conn.set("s", "lost").unwrap();
    server.kill();
    conn.get::<_, String>("s").unwrap_err();
    server.restart().unwrap();
    check(&mut connect(&server.url()));
}

#[test]
fn a_paused_server_answers_later() {
    for engine in BOTH {
        let mut server = LocalRedis::start(Options {
            engine,
            ..Options::default()
        })
        .unwrap();
        let mut conn = connect(&server.url());
        let () = conn.set("k", "v").unwrap();
        server.pause().unwrap();
        assert!(server.is_running());
        conn.set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        assert!(conn.get::<_, String>("k").unwrap_err().is_timeout());
        server.resume().unwrap();
        assert_eq!(connect(&server.url()).get::<_, String>("k").unwrap(), "v");
        // A paused one can still be stopped, with its data.
        server.pause().unwrap();
        server.restart().unwrap();
        assert_eq!(connect(&server.url()).get::<_, String>("k").unwrap(), "v");
    }
}

#[test]
fn a_client_can_shut_it_down() {
    for engine in BOTH {
        let mut server = LocalRedis::start(Options {
            engine,
            ..Options::default()
        })
        .unwrap();
        let mut conn = connect(&server.url());
        fill(&mut conn);
        redis::cmd("SHUTDOWN").query::<()>(&mut conn).unwrap_err();
        eventually("the server ends", || !server.is_running());
        server.restart().unwrap();
        check(&mut connect(&server.url()));
    }
}

#[test]
fn temporary_data_goes_with_the_server() {
    for engine in BOTH {
        let server = LocalRedis::start(Options {
            engine,
            ..Options::default()
        })
        .unwrap();
        let dir = server.data_dir().to_path_buf();
        assert!(dir.exists());
        drop(server);
        assert!(!dir.exists());
    }
}

#[test]
fn settings_reach_the_server_or_fail_the_start() {
    for engine in BOTH {
        let with = |name: &str, value: &str| Options {
            engine,
            config: vec![(name.into(), value.into())],
            ..Options::default()
        };
        let server = LocalRedis::start(with("maxmemory", "64mb")).unwrap();
        let set: (String, String) = redis::cmd("CONFIG")
            .arg(&["GET", "maxmemory"])
            .query(&mut connect(&server.url()))
            .unwrap();
        assert_eq!(set.1, "67108864");
        match LocalRedis::start(with("no-such-setting", "1")) {
            Err(StartError::Exited { .. }) if engine == Engine::Server => {}
            Err(StartError::Config { name, .. }) => assert_eq!(name, "no-such-setting"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_directory_has_one_owner() {
    let home = tempfile::tempdir().unwrap();
    let _first = LocalRedis::start(options(Engine::Embedded, home.path())).unwrap();
    match LocalRedis::start(options(Engine::Auto, home.path())) {
        Err(StartError::InUse { holder, .. }) => assert_eq!(holder, std::process::id().to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_directory_gets_a_short_socket() {
    for engine in BOTH {
        let home = tempfile::tempdir().unwrap();
        let deep = home
            .path()
            .join("a long name with spaces ".repeat(5).trim());
        let server = LocalRedis::start(options(engine, &deep)).unwrap();
        let () = connect(&server.url()).set("k", "v").unwrap();
    }
}

#[test]
fn a_taken_port_is_an_error() {
    for engine in BOTH {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let begin = Instant::now();
        let refused = LocalRedis::start(Options {
            engine,
            listen: Listen::Tcp { port },
            ..Options::default()
        });
        match refused {
            Err(StartError::Exited { log, .. }) => assert!(log.contains("in use"), "{log}"),
            Err(StartError::Listen { .. }) => assert_eq!(engine, Engine::Embedded),
            other => panic!("{other:?}"),
        }
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_damaged_snapshot_is_not_silently_dropped() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("embedded/dump.rdb");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, b"REDIS0011 and then nothing of use").unwrap();
    match LocalRedis::start(options(Engine::Embedded, home.path())) {
        Err(StartError::Snapshot { path, .. }) => assert!(path.ends_with("embedded/dump.rdb")),
        other => panic!("{other:?}"),
    }
    assert!(file.exists());
}

/// Set for the process that [`holder`] runs in: the directory to serve.
const HOLD: &str = "FACTORIAL_TEST_HOLD";

/// Not a check of its own: the body of the process that the next tests kill.
#[test]
fn holder() {
    let Ok(dir) = std::env::var(HOLD) else { return };
    let server = LocalRedis::start(options(Engine::Server, Path::new(&dir))).unwrap();
    println!("\nready {} {}", server.pid().unwrap(), server.url());
    loop {
        std::thread::park();
    }
}

/// Runs [`holder`] in another process; its child's process id and its URL.
fn hold(dir: &Path) -> (std::process::Child, i32, String) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder", "--nocapture"])
        .env(HOLD, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = lines
        .map(Result::unwrap)
        .find(|line| line.starts_with("ready "))
        .unwrap();
    let mut words = ready.split(' ').skip(1);
    let pid = words.next().unwrap().parse().unwrap();
    (process, pid, words.next().unwrap().to_owned())
}

fn is_alive(pid: i32) -> bool {
    let signalled = test_kill_process(Pid::from_raw(pid).unwrap());
    // A zombie that nobody has reaped yet is dead too.
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    signalled.is_ok() && !state.contains(") Z ")
}

/// The process whose arguments end with these.
#[cfg(target_os = "linux")]
fn process_with(arguments: &str) -> Pid {
    let processes = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    processes
        .filter_map(|name| name.to_str()?.parse().ok())
        .find(|pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line)
                .replace('\0', " ")
                .trim()
                .ends_with(arguments)
        })
        .and_then(Pid::from_raw)
        .unwrap()
}

#[test]
fn the_server_dies_with_a_killed_owner() {
    let home = tempfile::tempdir().unwrap();
    let (mut owner, pid, url) = hold(home.path());
    let () = connect(&url).set("s", "kept").unwrap();
    assert!(is_alive(pid));
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the watchdog stops the server", || !is_alive(pid));
    let next = LocalRedis::start(options(Engine::Server, home.path())).unwrap();
    assert_eq!(connect(&next.url()).get::<_, String>("s").unwrap(), "kept");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_left_behind_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let (mut owner, pid, url) = hold(home.path());
    let () = connect(&url).set("s", "kept").unwrap();
    // Without its watchdog, the server survives its owner.
    kill_process(
        process_with(&format!("factorial-redis-watchdog {pid}")),
        Signal::KILL,
    )
    .unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(is_alive(pid));
    let next = LocalRedis::start(options(Engine::Server, home.path())).unwrap();
    assert!(!is_alive(pid));
    assert_ne!(next.pid(), Some(pid.unsigned_abs()));
    assert_eq!(connect(&next.url()).get::<_, String>("s").unwrap(), "kept");
}

#[test]
fn a_note_about_another_process_harms_nobody() {
    let home = tempfile::tempdir().unwrap();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    fs::create_dir_all(home.path().join("server")).unwrap();
    fs::write(
        home.path().join("server/redis.pid"),
        format!("{}\n6379\n", other.id()),
    )
    .unwrap();
    let _server = LocalRedis::start(options(Engine::Server, home.path())).unwrap();
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}
