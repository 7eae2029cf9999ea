//! What clients rely on, checked against a real server and the in-process engine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::{Duration, Instant};

use deadpool_redis::redis::{self, Client, Commands, Connection, RedisResult, Value};
use factorial_local_redis::{Engine, Kind, Listen, LocalRedis, Options};

fn start(engine: Engine, listen: Listen) -> LocalRedis {
    LocalRedis::start(Options {
        engine,
        listen,
        ..Options::default()
    })
    .unwrap()
}

fn connect(server: &LocalRedis) -> Connection {
    Client::open(server.url())
        .unwrap()
        .get_connection()
        .unwrap()
}

/// The same connection with RESP3, which `HELLO 3` opens.
fn connect3(server: &LocalRedis) -> Connection {
    let mark = if server.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}protocol=resp3", server.url());
    Client::open(url).unwrap().get_connection().unwrap()
}

fn eval(conn: &mut Connection, body: &str, keys: &[&str], args: &[&str]) -> RedisResult<Value> {
    redis::cmd("EVAL")
        .arg(body)
        .arg(keys.len())
        .arg(keys)
        .arg(args)
        .query(conn)
}

fn text(conn: &mut Connection, body: &str) -> String {
    let value = eval(conn, body, &["k"], &["a", "b"]).unwrap();
    redis::from_redis_value(value).unwrap()
}

/// Polls until `check` is true.
fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !check() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn strings_and_expiry(server: &LocalRedis) {
    let mut c = connect(server);
    let set = |c: &mut Connection, how: &[&str]| -> Option<String> {
        redis::cmd("SET")
            .arg("s")
            .arg("v")
            .arg(how)
            .query(c)
            .unwrap()
    };
    assert_eq!(set(&mut c, &["NX", "PX", "60000"]), Some("OK".into()));
    assert_eq!(set(&mut c, &["NX", "PX", "60000"]), None);
    let left: i64 = c.pttl("s").unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
    assert_eq!(set(&mut c, &["PX", "30"]), Some("OK".into()));
    eventually("the key expires", || !c.exists::<_, bool>("s").unwrap());
    assert_eq!(c.incr::<_, _, i64>("n", 5).unwrap(), 5);
    let raw = vec![0_u8, 13, 10, 255];
    let () = c.set("raw", &raw).unwrap();
    assert_eq!(c.get::<_, Vec<u8>>("raw").unwrap(), raw);
    let error = c.incr::<_, _, i64>("raw", 1).unwrap_err();
    assert!(error.to_string().contains("not an integer"), "{error}");
}

fn collections(server: &LocalRedis) {
    let mut c = connect(server);
    let () = c.rpush("l", &["a", "b", "c"]).unwrap();
    assert_eq!(c.lrange::<_, Vec<String>>("l", 1, -1).unwrap(), ["b", "c"]);
    assert_eq!(c.lrem::<_, _, i64>("l", 0, "b").unwrap(), 1);
    let moved: String = redis::cmd("LMOVE")
        .arg(&["l", "m", "LEFT", "RIGHT"])
        .query(&mut c)
        .unwrap();
    assert_eq!(moved, "a");
    let () = c.hset_multiple("h", &[("f", "1"), ("g", "x")]).unwrap();
    assert_eq!(c.hincr::<_, _, _, i64>("h", "f", 2).unwrap(), 3);
    let fields: Vec<Option<String>> = redis::cmd("HMGET")
        .arg(&["h", "f", "none", "g"])
        .query(&mut c)
        .unwrap();
    assert_eq!(fields, [Some("3".into()), None, Some("x".into())]);
    let () = c
        .zadd_multiple(
            "z",
            &[(1.5, "one"), (2.0, "two"), (9_007_199_254_740_991.0, "max")],
        )
        .unwrap();
    let due: Vec<(String, f64)> = redis::cmd("ZRANGE")
        .arg(&[
            "z",
            "-inf",
            "(3",
            "BYSCORE",
            "LIMIT",
            "0",
            "10",
            "WITHSCORES",
        ])
        .query(&mut c)
        .unwrap();
    assert_eq!(due, [("one".to_owned(), 1.5), ("two".to_owned(), 2.0)]);
    assert_eq!(
        c.zscore::<_, _, f64>("z", "max").unwrap(),
        9_007_199_254_740_991.0
    );
    let popped: Vec<(String, f64)> = c.zpopmin("z", 1).unwrap();
    assert_eq!(popped[0].0, "one");
    let () = c.sadd("set", &["x", "y"]).unwrap();
    assert_eq!(c.scard::<_, i64>("set").unwrap(), 2);
    assert!(
        redis::cmd("COPY")
            .arg(&["h", "h2", "REPLACE"])
            .query::<bool>(&mut c)
            .unwrap()
    );
    assert_eq!(c.hget::<_, _, String>("h2", "g").unwrap(), "x");
    assert_eq!(c.del::<_, i64>(&["h", "h2"]).unwrap(), 2);
    let error = c.get::<_, String>("l").unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
    let id: String = redis::cmd("XADD")
        .arg(&["x", "*", "f", "v"])
        .query(&mut c)
        .unwrap();
    assert!(id.contains('-'), "{id}");
    assert_eq!(redis::cmd("XLEN").arg("x").query::<i64>(&mut c).unwrap(), 1);
}

fn transactions(server: &LocalRedis) {
    let mut c = connect(server);
    let (a, b): (i64, i64) = redis::pipe()
        .atomic()
        .incr("t", 1)
        .incr("t", 1)
        .query(&mut c)
        .unwrap();
    assert_eq!((a, b), (1, 2));
    let replies: Vec<i64> = {
        let mut pipe = redis::pipe();
        for _ in 0..5_000 {
            pipe.incr("p", 1);
        }
        pipe.query(&mut c).unwrap()
    };
    assert_eq!(replies.last(), Some(&5_000));
}

fn server_facts(server: &LocalRedis) {
    for mut c in [connect(server), connect3(server)] {
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(&mut c).unwrap();
        assert!(seconds > 1_600_000_000 && micros < 1_000_000);
        let policy: std::collections::HashMap<String, String> = redis::cmd("CONFIG")
            .arg("GET")
            .arg("maxmemory-policy")
            .query(&mut c)
            .unwrap();
        assert_eq!(policy["maxmemory-policy"], "noeviction");
        let info: String = redis::cmd("INFO").arg("server").query(&mut c).unwrap();
        assert!(
            info.contains("redis_version:") && info.contains("process_id:"),
            "{info}"
        );
        assert_eq!(
            redis::cmd("CLIENT")
                .arg("SETNAME")
                .arg("me")
                .query::<String>(&mut c)
                .unwrap(),
            "OK"
        );
        assert!(redis::cmd("CLIENT").arg("ID").query::<i64>(&mut c).unwrap() > 0);
        let keys: (String, Vec<String>) = redis::cmd("SCAN").arg("0").query(&mut c).unwrap();
        assert_eq!(keys.0, "0");
        assert_eq!(redis::cmd("DBSIZE").query::<i64>(&mut c).unwrap(), 0);
        let error = redis::cmd("NOSUCH").query::<()>(&mut c).unwrap_err();
        assert!(
            error.to_string().to_lowercase().contains("unknown command"),
            "{error}"
        );
    }
}

fn scripts(server: &LocalRedis) {
    let mut c = connect(server);
    let missing = redis::cmd("EVALSHA")
        .arg("0".repeat(40))
        .arg(0)
        .query::<()>(&mut c)
        .unwrap_err();
    assert_eq!(missing.code(), Some("NOSCRIPT"));
    let sha: String = redis::cmd("SCRIPT")
        .arg("LOAD")
        .arg("return KEYS[1]..ARGV[1]")
        .query(&mut c)
        .unwrap();
    let joined: String = redis::cmd("EVALSHA")
        .arg(&sha)
        .arg(1)
        .arg(&["k", "v"])
        .query(&mut c)
        .unwrap();
    assert_eq!(joined, "kv");
    let () = redis::cmd("SCRIPT").arg("FLUSH").query(&mut c).unwrap();
    let exists: Vec<bool> = redis::cmd("SCRIPT")
        .arg("EXISTS")
        .arg(&sha)
        .query(&mut c)
        .unwrap();
    assert_eq!(exists, [false]);

    let refused = eval(&mut c, "return redis.error_reply('STALE token')", &[], &[]).unwrap_err();
    assert_eq!(
        (refused.code(), refused.detail()),
        (Some("STALE"), Some("token"))
    );
    let table = eval(&mut c, "return {err='BUSY now'}", &[], &[]).unwrap_err();
    assert_eq!(table.code(), Some("BUSY"));
    assert_eq!(text(&mut c, "return redis.status_reply('FINE')"), "FINE");
    let () = c.set("str", "x").unwrap();
    let raised = eval(
        &mut c,
        "return redis.call('HGET', KEYS[1], 'f')",
        &["str"],
        &[],
    )
    .unwrap_err();
    assert_eq!(raised.code(), Some("WRONGTYPE"), "{raised}");
    let caught = "local r = redis.pcall('HGET', 'str', 'f') return r.err";
    assert!(text(&mut c, caught).starts_with("WRONGTYPE"));
    let failed = eval(&mut c, "error('boom')", &[], &[]).unwrap_err();
    assert!(failed.to_string().contains("boom"), "{failed}");
    let syntax = eval(&mut c, "return (", &[], &[]).unwrap_err();
    assert!(syntax.to_string().contains("ompil"), "{syntax}");
    let global = eval(&mut c, "undeclared = 1 return 1", &[], &[]).unwrap_err();
    assert!(global.to_string().contains("readonly table"), "{global}");
    // What a script wrote before it failed stays: there is no roll-back to rely on.
    eval(
        &mut c,
        "redis.call('SET', KEYS[1], '1') error('late')",
        &["half"],
        &[],
    )
    .unwrap_err();
    assert_eq!(c.get::<_, String>("half").unwrap(), "1");
}

fn script_values(server: &LocalRedis) {
    let mut c = connect(server);
    let array = eval(
        &mut c,
        "return {1, 'two', {3.9, false}, true, nil, 'unseen'}",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(
        array,
        Value::Array(vec![
            Value::Int(1),
            Value::BulkString(b"two".to_vec()),
            Value::Array(vec![Value::Int(3), Value::Nil]),
            Value::Int(1),
        ])
    );
    assert_eq!(
        eval(&mut c, "return redis.call('GET', 'none')", &[], &[]).unwrap(),
        Value::Nil
    );
    assert_eq!(
        text(&mut c, "return tostring(redis.call('GET', 'none'))"),
        "false"
    );
    assert_eq!(
        text(&mut c, "return type(redis.call('HGETALL', 'none'))"),
        "table"
    );
    assert_eq!(text(&mut c, "return redis.call('SET', 'q', '1').ok"), "OK");
    assert_eq!(
        text(
            &mut c,
            "return redis.call('ZADD', 'zz', 1.5, 'm') .. redis.call('ZSCORE', 'zz', 'm')"
        ),
        "11.5"
    );
    assert_eq!(
        text(&mut c, "return string.format('%.0f', 9007199254740991)"),
        "9007199254740991"
    );
    assert_eq!(
        text(&mut c, "return string.format('%.0f', 1700000000123 * 1000)"),
        "1700000000123000"
    );
    assert_eq!(
        text(&mut c, "return tostring(1700000000123)"),
        "1700000000123"
    );
    assert_eq!(
        text(&mut c, "return tostring(123456789012345678)"),
        "1.2345678901235e+17"
    );
    assert_eq!(
        text(
            &mut c,
            "return tostring(10 / 2) .. ',' .. tostring(0.5) .. ',' .. math.floor(7 / 2)"
        ),
        "5,0.5,3"
    );
    assert_eq!(text(&mut c, "return tostring(#ARGV) .. ARGV[2]"), "2b");
    let unpacked = "for i = 1, 4000 do ARGV[i] = tostring(i) end \
                    return redis.call('RPUSH', 'big', unpack(ARGV)) .. ''";
    assert_eq!(text(&mut c, unpacked), "4000");
    assert_eq!(
        text(
            &mut c,
            "local t = redis.call('TIME') return tostring(tonumber(t[1]) > 1600000000)"
        ),
        "true"
    );
    assert_eq!(
        text(&mut c, "return redis.sha1hex('')"),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    );
    assert_eq!(
        text(
            &mut c,
            "return table.concat({'a', 'b'}, '-') .. string.rep('x', 3)"
        ),
        "a-bxxx"
    );
    assert_eq!(text(&mut c, "return ('a:b:c'):gsub(':', '/')"), "a/b/c");
    assert_eq!(
        text(&mut c, "return string.match('p3-01', '^p(%d+)%-')"),
        "3"
    );
    assert_eq!(
        text(
            &mut c,
            "return tostring(next({})) .. select('#', 1, 2) .. type(loadstring)"
        ),
        "nil2function"
    );
    assert_eq!(
        text(
            &mut c,
            "local ok, e = pcall(error, 'x') return tostring(ok) .. tostring(e)"
        ),
        "falsex"
    );
    redis::cmd("EVAL")
        .arg("redis.log(redis.LOG_NOTICE, 'hello')")
        .arg(0)
        .query::<()>(&mut c)
        .unwrap();
}

fn scripts_under_oom(server: &LocalRedis) {
    let mut c = connect(server);
    let fill = "for i = 1, 3000 do redis.call('SET', 'f' .. i, string.rep('x', 1000)) end return 1";
    eval(&mut c, fill, &[], &[]).unwrap();
    let () = redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory", "2mb"])
        .query(&mut c)
        .unwrap();
    let refused = eval(&mut c, "return redis.call('SET', 'a', '1')", &[], &[]).unwrap_err();
    assert_eq!(refused.code(), Some("OOM"));
    assert_eq!(
        eval(&mut c, "return redis.call('DEL', 'f1')", &[], &[]).unwrap(),
        Value::Int(1)
    );
    assert_eq!(c.strlen::<_, i64>("f2").unwrap(), 1000);
}

fn script_libraries(server: &LocalRedis) {
    let mut c = connect(server);
    assert_eq!(
        text(&mut c, "return cjson.encode({1, 'a', {x = true}})"),
        r#"[1,"a",{"x":true}]"#
    );
    assert_eq!(
        text(&mut c, "return cjson.encode({a = 1.5})"),
        r#"{"a":1.5}"#
    );
    assert_eq!(
        text(&mut c, "return cjson.encode({n = cjson.null})"),
        r#"{"n":null}"#
    );
    assert_eq!(text(&mut c, "return cjson.encode({})"), "{}");
    assert_eq!(
        text(&mut c, "return cjson.encode('\\n\"/é')"),
        "\"\\n\\\"\\/é\""
    );
    assert_eq!(
        text(&mut c, "return cjson.encode(1700000000123)"),
        "1700000000123"
    );
    assert_eq!(
        text(
            &mut c,
            "return cjson.decode([=[[1,{\"k\":\"v\\u00e9\"}]]=])[2].k"
        ),
        "vé"
    );
    assert_eq!(
        text(
            &mut c,
            "return tostring(cjson.decode('{\"a\":null}').a == cjson.null)"
        ),
        "true"
    );
    assert_eq!(
        text(&mut c, "return tostring(pcall(cjson.decode, '{bad'))"),
        "false"
    );
    assert_eq!(
        text(
            &mut c,
            "return cmsgpack.unpack(cmsgpack.pack({'p', 'q'}))[2]"
        ),
        "q"
    );
    assert_eq!(
        text(
            &mut c,
            "return tostring(struct.unpack('>I4', struct.pack('>I4', 258)))"
        ),
        "258"
    );
    assert_eq!(
        text(
            &mut c,
            "return tostring(bit.band(12, 10)) .. bit.tohex(255, 2)"
        ),
        "8ff"
    );
}

fn is_blocked(conn: &mut Connection) -> bool {
    let info: String = redis::cmd("INFO").arg("clients").query(conn).unwrap();
    info.contains("blocked_clients:1\r\n")
}

fn blocking(server: &LocalRedis) {
    let mut c = connect(server);
    let begin = Instant::now();
    let none: Option<(String, String)> = redis::cmd("BLPOP")
        .arg("q")
        .arg("0.2")
        .query(&mut c)
        .unwrap();
    let took = begin.elapsed();
    assert_eq!(none, None);
    // A loaded machine may be late, the server is never early.
    assert!(
        took >= Duration::from_millis(195) && took < Duration::from_millis(1500),
        "{took:?}"
    );

    let mut pusher = connect(server);
    let waiter = std::thread::spawn(move || {
        redis::cmd("BLPOP")
            .arg(&["q1", "q2"])
            .arg(5)
            .query::<(String, String)>(&mut c)
    });
    eventually("a blocked client", || is_blocked(&mut pusher));
    // From a script, as the wake-up of a worker is.
    eval(
        &mut pusher,
        "return redis.call('LPUSH', KEYS[1], 'x')",
        &["q2"],
        &[],
    )
    .unwrap();
    assert_eq!(
        waiter.join().unwrap().unwrap(),
        ("q2".to_owned(), "x".to_owned())
    );

    // A blocked client that goes away takes nothing with it.
    let gone = connect(server);
    let gone_id: i64 = {
        let mut gone = gone;
        let id = redis::cmd("CLIENT").arg("ID").query(&mut gone).unwrap();
        gone.send_packed_command(&redis::cmd("BLPOP").arg("left").arg(0).get_packed_command())
            .unwrap();
        id
    };
    eventually("the client is forgotten", || {
        let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut pusher).unwrap();
        !list.contains(&format!("id={gone_id} "))
    });
    let () = pusher.rpush("left", "kept").unwrap();
    assert_eq!(pusher.lpop::<_, String>("left", None).unwrap(), "kept");
}

fn publish(server: &LocalRedis) {
    let mut listener = connect(server);
    let mut publisher = connect(server);
    let mut sub = listener.as_pubsub();
    sub.subscribe("events").unwrap();
    sub.psubscribe("other:*").unwrap();
    assert_eq!(publisher.publish::<_, _, i64>("events", "one").unwrap(), 1);
    assert_eq!(publisher.publish::<_, _, i64>("other:x", "two").unwrap(), 1);
    let sent = eval(
        &mut publisher,
        "return redis.call('PUBLISH', 'events', 'three')",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(sent, Value::Int(1));
    let got: Vec<(String, String)> = (0..3)
        .map(|_| sub.get_message().unwrap())
        .map(|m| (m.get_channel_name().to_owned(), m.get_payload().unwrap()))
        .collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        got,
        [
            pair("events", "one"),
            pair("other:x", "two"),
            pair("events", "three")
        ]
    );
    sub.unsubscribe("events").unwrap();
    assert_eq!(publisher.publish::<_, _, i64>("events", "none").unwrap(), 0);
}

fn sharded_publish(server: &LocalRedis) {
    let mut c = connect(server);
    assert_eq!(
        redis::cmd("SPUBLISH")
            .arg("{t}c")
            .arg("m")
            .query::<i64>(&mut c)
            .unwrap(),
        0
    );
}

fn large_values(server: &LocalRedis) {
    let mut c = connect(server);
    // As long as the in-process engine takes, and incompressible to the eye.
    let big: Vec<u8> = (0..1_900_000_u32).map(|i| i as u8).collect();
    let () = c.set("big", &big).unwrap();
    let () = c.rpush("list", &big).unwrap();
    let () = c.hset("hash", "f", &big).unwrap();
    // 100 MB of replies to a client that sends everything before it reads: the
    // server must take no more requests until the client reads.
    let mut pipe = redis::pipe();
    for _ in 0..50 {
        pipe.get("big");
    }
    let replies: Vec<Vec<u8>> = pipe.query(&mut c).unwrap();
    assert_eq!(replies.len(), 50);
    assert!(replies.iter().all(|reply| *reply == big));
}

fn many_clients(server: &LocalRedis) {
    let mut clients: Vec<Connection> = (0..200).map(|_| connect(server)).collect();
    for c in &mut clients {
        let () = c.incr("clients", 1).unwrap();
    }
    assert_eq!(clients[0].get::<_, i64>("clients").unwrap(), 200);
    let mut one = clients.pop().unwrap();
    drop(clients);
    eventually("the others are closed", || {
        let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut one).unwrap();
        list.lines()
            .filter(|line| line.contains("cmd=") && !line.contains("addr= "))
            .count()
            <= 2
    });
}

async fn asynchronous(server: LocalRedis) {
    let client = Client::open(server.url()).unwrap();
    let mut c = client.get_multiplexed_async_connection().await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|i| {
            let mut c = c.clone();
            tokio::spawn(async move {
                redis::cmd("SET")
                    .arg(format!("k{i}"))
                    .arg(i)
                    .query_async::<()>(&mut c)
                    .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        redis::cmd("DBSIZE")
            .query_async::<i64>(&mut c)
            .await
            .unwrap(),
        50
    );
}

fn kind_is(server: &LocalRedis, engine: Engine) {
    match (server.kind(), engine) {
        (Kind::Server { program }, Engine::Server) => assert!(program.is_absolute()),
        (Kind::Embedded, Engine::Embedded) => {
            assert!(server.describe().contains("never for production"));
        }
        (kind, engine) => panic!("{engine:?} gave {kind:?}"),
    }
}

/// What the in-process engine does not do. A test, so that a version of it that
/// does is noticed.
#[test]
fn the_in_process_engine_refuses_what_it_lacks() {
    let server = start(Engine::Embedded, Listen::Unix);
    let mut c = connect(&server);
    let unblock = redis::cmd("CLIENT")
        .arg("UNBLOCK")
        .arg(1)
        .query::<bool>(&mut c)
        .unwrap_err();
    assert!(
        unblock.to_string().contains("unknown subcommand"),
        "{unblock}"
    );
    let too_long = c.set::<_, _, ()>("big", vec![b'x'; 2 << 20]).unwrap_err();
    assert!(
        too_long.to_string().contains("maximum allowed size"),
        "{too_long}"
    );
    let append_only = redis::cmd("CONFIG")
        .arg(&["SET", "appendonly", "yes"])
        .query::<()>(&mut c);
    append_only.unwrap_err();
    let flags = eval(&mut c, "#!lua flags=allow-oom\nreturn 1", &[], &[]).unwrap_err();
    assert!(flags.to_string().contains("ompil"), "{flags}");
    // Each was an answer, not a broken connection.
    let () = c.set("still", "here").unwrap();
}

macro_rules! contract {
    ($($engine:ident: $module:ident),*) => {$(
        mod $module {
            use super::*;

            const ENGINE: Engine = Engine::$engine;

            macro_rules! each {
                ($name:ident) => {
                    #[test]
                    fn $name() {
                        super::$name(&start(ENGINE, Listen::Unix));
                    }
                };
            }

            each!(strings_and_expiry);
            each!(collections);
            each!(transactions);
            each!(server_facts);
            each!(scripts);
            each!(script_values);
            each!(scripts_under_oom);
            each!(script_libraries);
            each!(blocking);
            each!(publish);
            each!(sharded_publish);
            each!(large_values);
            each!(many_clients);

            #[test]
            fn listens_on_a_free_port() {
                let server = start(ENGINE, Listen::Tcp { port: 0 });
                assert!(server.url().starts_with("redis://127.0.0.1:"));
                super::transactions(&server);
                super::kind_is(&server, ENGINE);
            }

            #[tokio::test]
            async fn serves_async_clients() {
                super::asynchronous(start(ENGINE, Listen::Unix)).await;
            }
        }
    )*};
}

contract!(Server: real_server, Embedded: in_process);
