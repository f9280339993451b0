//! The one thread that writes the log. What has gathered while it was committing it commits together next, then
//! publishes and answers in the order of the commits: so each socket sees each conversation's entries in theirs.

#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::hub::Hub;
use crate::log::{Fault, Log, Outcome, Write};
use crate::metrics::Metrics;
use crate::tasks::Hint;
use bedside_protocol::{Code, Refusal};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot};

/// Writes that wait before senders have to: some tenths of a second's worth.
const QUEUE: usize = 1024;
/// Most writes of one transaction, so that the first of them needn't wait long for the last.
const MAX_BATCH: usize = 128;
/// Without a write for this long, nobody is in a hurry, and search may follow what was written.
const QUIET: Duration = Duration::from_millis(20);
/// When a disk that failed is worth another try.
const RETRY_AFTER_MS: u64 = 2_000;

/// Told what became of a write, after it was published.
pub type Reply = Box<dyn FnOnce(Result<Outcome, Refusal>) + Send>;

enum Job {
    Write(Write, Reply),
    Probe(oneshot::Sender<Result<(), Fault>>),
    Stop,
}

/// The way to the writing thread.
#[derive(Clone)]
pub struct Writer(mpsc::Sender<Job>);

/// Something that can't be done now.
pub fn unavailable(message: &str) -> Refusal {
    Refusal::later(Code::Unavailable, message, RETRY_AFTER_MS)
}

impl Writer {
    /// Starts the thread.
    pub fn start(
        log: impl Log,
        clock: Arc<dyn Clock>,
        hub: Arc<Hub>,
        tasks: Hint,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        // The thread's own, so that it can wait for a write and not for ever.
        let waiting = runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("log-writer".into()).spawn(move || {
            Thread { log, clock, hub, tasks, metrics, waiting }.run(queue);
        })?;
        Ok((Self(jobs), thread))
    }

    /// Queues `write`; writes of one caller are committed in their order. `reply` is called exactly once.
    pub async fn submit(&self, write: Write, reply: Reply) {
        if let Err(mpsc::error::SendError(Job::Write(_, reply))) = self.0.send(Job::Write(write, reply)).await
        {
            reply(Err(stopping()));
        }
    }

    /// Queues `write` and waits for what becomes of it.
    pub async fn write(&self, write: Write) -> Result<Outcome, Refusal> {
        let (tell, told) = oneshot::channel();
        self.submit(
            write,
            Box::new(move |result| {
                let _ = tell.send(result);
            }),
        )
        .await;
        told.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Sees whether the log can be written.
    pub async fn probe(&self) -> Result<(), Fault> {
        let gone = || Fault::new("the writer has stopped");
        let (tell, told) = oneshot::channel();
        self.0.send(Job::Probe(tell)).await.map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }

    /// Takes no more writes; those that wait are still committed, published and answered, then the thread ends.
    pub async fn stop(&self) {
        // It has stopped already if nobody listens.
        let _ = self.0.send(Job::Stop).await;
    }
}

fn stopping() -> Refusal {
    unavailable("the server is stopping")
}

struct Thread<L> {
    log: L,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
    tasks: Hint,
    metrics: Arc<Metrics>,
    waiting: Runtime,
}

impl<L: Log> Thread<L> {
    /// The next job. Once none has come for a moment, search follows the log.
    fn next(&mut self, queue: &mut mpsc::Receiver<Job>, behind: &mut bool) -> Option<Job> {
        while *behind {
            let quiet = async { tokio::time::timeout(QUIET, queue.recv()).await };
            if let Ok(job) = self.waiting.block_on(quiet) {
                return job;
            }
            *behind = match self.log.index() {
                Ok(entries) => entries > 0,
                Err(fault) => {
                    tracing::error!(%fault, "search can't follow");
                    // Until the disk takes something again.
                    false
                }
            };
        }
        self.waiting.block_on(queue.recv())
    }

    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let (mut writes, mut replies) = (Vec::new(), Vec::new());
        // An earlier life may have left something to do.
        let mut behind = true;
        while let Some(job) = self.next(&mut queue, &mut behind) {
            let mut next = Some(job);
            while let Some(job) = next {
                match job {
                    Job::Write(write, reply) => {
                        writes.push(write);
                        replies.push(reply);
                    }
                    Job::Probe(tell) => {
                        let _ = tell.send(self.log.probe());
                    }
                    Job::Stop => queue.close(),
                }
                next = (writes.len() < MAX_BATCH).then(|| queue.try_recv().ok()).flatten();
            }
            if !writes.is_empty() {
                self.commit(&writes, replies.drain(..));
                writes.clear();
                behind = true;
            }
        }
    }

    fn commit(&mut self, writes: &[Write], replies: impl Iterator<Item = Reply>) {
        let began = Instant::now();
        let outcomes = self.log.commit(self.clock.now(), writes);
        self.metrics.commit_time.observe(began.elapsed().as_secs_f64());
        self.metrics.batch.observe(writes.len() as f64);
        match outcomes {
            Ok(outcomes) => {
                self.metrics.commits.inc();
                for (outcome, reply) in outcomes.into_iter().zip(replies) {
                    if let Ok(outcome) = &outcome {
                        self.hub.publish(&outcome.committed);
                        for job in outcome.committed.jobs() {
                            // Nobody listens any more while the server stops; the row stays for the next life.
                            let _ = self.tasks.send(job.clone());
                        }
                    }
                    reply(outcome);
                }
            }
            Err(fault) => {
                self.metrics.faults.inc();
                tracing::error!(%fault, writes = writes.len(), "nothing was committed");
                for reply in replies {
                    reply(Err(unavailable("the log can't be written")));
                }
            }
        }
    }
}
