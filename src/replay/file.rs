//! A file or a pipe of records, one a line. Threads take the next batch of lines in turns, so that one batch a thread is in
//! memory and there is no queue.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread,
};

use super::{Chunk, Defaults, Each, Failure, Measure, Reader, Source};
use crate::{
    domain::{Arena, Policy},
    source::file::{self, Batch},
};

/// Records from a file.
pub struct File {
    name: String,
    bytes: Option<u64>,
    defaults: Defaults,
    lines: Mutex<Lines>,
}

/// The lines that are left, and how many batches were taken.
struct Lines {
    reader: file::Reader<Box<dyn io::Read + Send>>,
    taken: u64,
}

impl File {
    /// The records in what `input` reads, under this policy. `name` stands for the topic of an event alone, `bytes` is how many
    /// there are where that is known.
    #[must_use]
    pub fn new(
        (name, bytes): (String, Option<u64>),
        input: Box<dyn io::Read + Send>,
        policy: &Policy,
        defaults: Defaults,
    ) -> Self {
        let lines = Lines { reader: file::Reader::new(input, policy), taken: 0 };
        Self { name, bytes, defaults, lines: Mutex::new(lines) }
    }

    /// The next batch and its number; none at the end.
    fn take(&self, batch: &mut Batch) -> io::Result<Option<u64>> {
        // Poisoned only by a panic of another thread, after which nothing is written any more.
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.reader.fill(batch)? {
            return Ok(None);
        }
        lines.taken += 1;
        Ok(Some(lines.taken - 1))
    }
}

impl Source for File {
    fn threads(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    fn size(&self) -> Option<u64> {
        self.bytes
    }

    fn measure(&self) -> Measure {
        Measure::Bytes
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>, Failure> {
        Ok(Box::new(FileReader { file: self, batch: Batch::default(), arena: Arena::new() }))
    }
}

struct FileReader<'f> {
    file: &'f File,
    batch: Batch,
    arena: Arena,
}

impl Reader for FileReader<'_> {
    fn read(&mut self, each: &mut Each<'_>) -> Result<Option<Chunk>, Failure> {
        let turn = self.file.take(&mut self.batch).map_err(Failure::Reading)?;
        if turn.is_none() {
            return Ok(None);
        }
        for line in self.batch.lines() {
            self.arena.reset();
            let record = line.record(&self.file.name, &self.arena);
            each(&self.file.defaults.apply(record, &self.arena), &self.arena)?;
        }
        Ok(Some(Chunk { turn, records: self.batch.lines().len() as u64, size: self.batch.bytes() as u64 }))
    }
}
