//! One PING over a fresh connection: how a start knows that the server is ready.
//!
//! A full client is not needed for that, and without one this crate stays free of
//! the choice of client and runtime.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::address::Address;

/// What a server says to a PING.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It serves.
    Ready,
    /// It is up and reads its data file.
    Loading,
    /// It answered something else, such as that a password is needed: it serves.
    Other,
}

/// How long one probe may take.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Connects, sends a PING, and reads the first bytes of the answer.
pub(crate) fn ping(address: &Address) -> io::Result<Answer> {
    match address {
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            exchange(stream)
        }
        Address::Tcp(port) => {
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            let stream = TcpStream::connect_timeout(&peer, TIMEOUT)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            exchange(stream)
        }
    }
}

fn exchange(mut stream: impl Read + Write) -> io::Result<Answer> {
    stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
    let mut reply = [0_u8; 64];
    let mut filled = 0;
    while filled < reply.len() && !reply[..filled].contains(&b'\n') {
        match stream.read(&mut reply[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    Ok(if reply.starts_with(b"+PONG") {
        Answer::Ready
    } else if reply.starts_with(b"-LOADING") {
        Answer::Loading
    } else {
        Answer::Other
    })
}
