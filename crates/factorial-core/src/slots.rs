//! Slots of a Redis Cluster: which one a key has, and which key a command goes by.
//!
//! Called by `link.rs` for each call on a cluster, and by `keys.rs` when the tags of a namespace are chosen.

use deadpool_redis::redis::{Arg, Cmd};

/// Slots of a cluster, fixed by its protocol.
pub(crate) const SLOTS: u16 = 16_384;

/// CRC-16/XMODEM of each byte, which the protocol of the cluster names.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ (if crc & 0x8000 == 0 { 0 } else { 0x1021 });
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The slot of a key: that of its tag, the first text in braces, if it has one.
pub(crate) fn slot(key: &[u8]) -> u16 {
    let position = |from: usize, wanted: u8| {
        let found = key.get(from..)?.iter().position(|b| *b == wanted)?;
        Some(from + found)
    };
    let tag = position(0, b'{').and_then(|open| {
        let close = position(open + 1, b'}')?;
        key.get(open + 1..close).filter(|tag| !tag.is_empty())
    });
    let crc = tag.unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    });
    crc % SLOTS
}

/// The slot that a command goes to; none if it names no key.
pub(crate) fn slot_of(cmd: &Cmd) -> Option<u16> {
    let mut args = cmd.args_iter().map(|arg| match arg {
        Arg::Simple(bytes) => bytes,
        _ => &[][..],
    });
    let key = match args.next()? {
        b"PING" | b"TIME" | b"INFO" | b"CONFIG" | b"CLIENT" | b"CLUSTER" => return None,
        b"EVALSHA" | b"EVAL" => args.nth(2)?,
        _ => args.next()?,
    };
    Some(slot(key))
}

#[cfg(test)]
mod tests {
    use deadpool_redis::redis;

    use super::*;

    /// As `CLUSTER KEYSLOT` says.
    #[test]
    fn slots_are_those_of_the_server() {
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{foo}:bar"), 12_182);
        assert_eq!(slot(b"x{foo}{bar}"), 12_182);
        assert_eq!(slot(b"{}foo"), slot(b"{}foo"));
        assert_ne!(slot(b"{}foo"), 12_182);
        assert_ne!(slot(b"{foo"), 12_182);
    }

    #[test]
    fn a_command_goes_by_its_key() {
        let of = |words: &[&str]| {
            let mut cmd = redis::cmd(words[0]);
            for word in &words[1..] {
                cmd.arg(*word);
            }
            slot_of(&cmd)
        };
        assert_eq!(of(&["HGETALL", "foo"]), Some(12_182));
        assert_eq!(of(&["EVALSHA", "00", "2", "{foo}:", "{foo}"]), Some(12_182));
        assert_eq!(of(&["PUBLISH", "{foo}:ev", "text"]), Some(12_182));
        assert_eq!(of(&["TIME"]), None);
    }
}
