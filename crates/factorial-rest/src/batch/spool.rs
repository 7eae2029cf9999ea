//! Keeps the members of a batch between the last byte of the request and their acceptance: in memory while they are few,
//! else in a file without a name that goes with the process.
//!
//! Invariant: the runtime's threads never wait for the disk.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    mem,
};

use tempfile::SpooledTempFile;
use tokio::task::spawn_blocking;

/// Kept in memory before a file is used.
const IN_MEMORY: usize = 4 * 1024 * 1024;
/// Written and read at once.
const CHUNK: usize = 1024 * 1024;
const LENGTH: usize = size_of::<u32>();

/// Records in the order in which they came.
#[derive(Debug)]
pub(super) struct Spool {
    /// `None` only while another thread has it.
    file: Option<SpooledTempFile>,
    /// Not written yet; after [`Spool::rewind`] read but not handed out yet.
    buffer: Vec<u8>,
}

impl Spool {
    pub(super) fn new() -> Self {
        Self {
            file: Some(SpooledTempFile::new(IN_MEMORY)),
            buffer: Vec::new(),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub(super) async fn push(&mut self, record: &[u8]) -> io::Result<()> {
        let length = u32::try_from(record.len()).map_err(io::Error::other)?;
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(record);
        if self.buffer.len() >= CHUNK {
            self.flush().await?;
        }
        Ok(())
    }

    /// Ends the writing; the records can be read from the first on.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub(super) async fn rewind(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.apart(|file, buffer| {
            buffer.clear();
            file.seek(SeekFrom::Start(0)).map(drop)
        })
        .await
    }

    /// The next records, at least one and about a chunk of them; none at the end.
    ///
    /// # Errors
    /// When the disk is gone.
    pub(super) async fn read(&mut self) -> io::Result<Vec<Vec<u8>>> {
        loop {
            let records = split(&mut self.buffer);
            if !records.is_empty() {
                return Ok(records);
            }
            let before = self.buffer.len();
            self.apart(|file, buffer| {
                let most = CHUNK.max(buffer.len()) as u64;
                Read::by_ref(file).take(most).read_to_end(buffer).map(drop)
            })
            .await?;
            if self.buffer.len() == before {
                return Ok(Vec::new());
            }
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.apart(|file, buffer| {
            file.write_all(buffer)?;
            buffer.clear();
            Ok(())
        })
        .await
    }

    async fn apart(
        &mut self,
        work: impl FnOnce(&mut SpooledTempFile, &mut Vec<u8>) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let gone = || io::Error::other("the spool was lost");
        let mut file = self.file.take().ok_or_else(gone)?;
        let mut buffer = mem::take(&mut self.buffer);
        let (file, buffer, done) = spawn_blocking(move || {
            let done = work(&mut file, &mut buffer);
            (file, buffer, done)
        })
        .await
        .map_err(io::Error::other)?;
        self.file = Some(file);
        self.buffer = buffer;
        done
    }
}

/// Takes the whole records out of a buffer.
fn split(buffer: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let (mut records, mut at) = (Vec::new(), 0);
    while let Some((length, rest)) = buffer[at..].split_first_chunk::<LENGTH>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some(record) = rest.get(..length) else {
            break;
        };
        records.push(record.to_vec());
        at += LENGTH + length;
    }
    buffer.drain(..at);
    records
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out() {
        for (count, size) in [(0, 0), (3, 10), (40_000, 200), (5, 3 * CHUNK)] {
            let mut spool = Spool::new();
            for n in 0..count {
                let byte = u8::try_from(n % 251).expect("small");
                spool
                    .push(&vec![byte; size + n % 7])
                    .await
                    .expect("written");
            }
            spool.rewind().await.expect("rewound");
            let mut n = 0;
            loop {
                let records = spool.read().await.expect("read");
                if records.is_empty() {
                    break;
                }
                for record in records {
                    let byte = u8::try_from(n % 251).expect("small");
                    assert_eq!(record, vec![byte; size + n % 7], "{n}");
                    n += 1;
                }
            }
            assert_eq!(n, count);
        }
    }
}
