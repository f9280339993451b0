//! Who works on which row.

use super::lane::Lanes;
use super::{Advice, Draft, Reading, Task, Tries, Trouble};
use crate::log::{Answer, Job, Write};
use crate::shared::Shared;
use bedside_protocol::{
    Body, ClinicId, Code, ConversationId, Extra, Refusal, Seq, Suggesting, SuggestingState, Suggestion,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// Entries that a task reads at most.
const CONTEXT: u64 = 50;
/// Longest wait between two tries, whatever a service asks for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Tells the runner of rows that were committed.
pub type Hint = mpsc::UnboundedSender<Job>;

/// A hint's two ends. As many wait as there are conversations with something to do, at most.
pub fn hints() -> (Hint, mpsc::UnboundedReceiver<Job>) {
    mpsc::unbounded_channel()
}

/// The kind of a task in a conversation: of these, the newest alone is worked on.
type Place = (ClinicId, ConversationId, String);

/// Works on rows until it is dropped.
pub struct Runner {
    shared: Arc<Shared>,
    lanes: Arc<Lanes>,
    /// Whose basis is the newest, and its end.
    newest: BTreeMap<Place, (Seq, AbortHandle)>,
    working: JoinSet<(Place, Seq)>,
}

impl Runner {
    /// Begins with `left`, what an earlier life left to do, and goes on with what `committed` tells.
    pub async fn run(shared: Arc<Shared>, left: Vec<Job>, mut committed: mpsc::UnboundedReceiver<Job>) {
        let mut runner =
            Self { shared, lanes: Arc::default(), newest: BTreeMap::new(), working: JoinSet::new() };
        left.into_iter().for_each(|job| runner.start(job));
        loop {
            tokio::select! {
                job = committed.recv() => match job {
                    Some(job) => runner.start(job),
                    None => return,
                },
                Some(ended) = runner.working.join_next() => if let Ok((place, basis)) = ended {
                    runner.ended(&place, basis);
                },
            }
        }
    }

    fn ended(&mut self, place: &Place, basis: Seq) {
        if self.newest.get(place).is_some_and(|(newest, _)| *newest == basis) {
            self.newest.remove(place);
        }
    }

    fn start(&mut self, job: Job) {
        let place = (job.clinic.clone(), job.conversation.clone(), job.task.clone());
        let Some(task) = self.shared.config.tasks.get(&job.task).cloned() else {
            // Of another version of the program. It stays as it is: it may be known again.
            return;
        };
        let basis = job.basis;
        let work = Work { shared: self.shared.clone(), lanes: self.lanes.clone(), job, task };
        let ended = (place.clone(), basis);
        let handle = self.working.spawn(async move {
            work.run().await;
            ended
        });
        if let Some((_, older)) = self.newest.insert(place, (basis, handle)) {
            older.abort();
            self.shared.metrics.task("superseded");
        }
    }
}

/// One row's work.
struct Work {
    shared: Arc<Shared>,
    lanes: Arc<Lanes>,
    job: Job,
    task: Arc<dyn Task>,
}

impl Work {
    async fn run(self) {
        self.tell(SuggestingState::Queued);
        let Tries { most, backoff } = self.task.tries();
        let mut wait = backoff;
        loop {
            let Some(place) = self.lanes.enter(self.task.lane()).await else { return };
            // Counted before it is begun.
            match self.write(Write::Try { job: self.job.clone() }).await {
                Some(Answer::Tries(tries)) if tries <= most => {}
                Some(_) => return self.end(None).await,
                None => return,
            }
            self.tell(SuggestingState::Running);
            let trouble = match self.attempt().await {
                Ok(advice) => return self.end(Some(advice)).await,
                Err(trouble) => trouble,
            };
            drop(place);
            let Trouble::Later(asked) = trouble else { return self.end(None).await };
            tokio::time::sleep(asked.unwrap_or_default().max(wait).min(LONGEST_BACKOFF)).await;
            wait = wait.saturating_mul(2);
        }
    }

    async fn attempt(&self) -> Result<Advice, Trouble> {
        let reading = self.reading().await.ok_or(Trouble::Later(None))?;
        let tried = tokio::time::timeout(self.task.timeout(), self.task.attempt(&reading)).await;
        if self.task.service().is_some() {
            self.shared.hub.paused(self.shared.config.tasks.paused());
        }
        tried.unwrap_or(Err(Trouble::Later(None)))
    }

    /// The newest entries up to the row's basis, and whose they are.
    async fn reading(&self) -> Option<Reading> {
        let Job { clinic, conversation, basis, .. } = self.job.clone();
        let from = Seq::new(basis.get().saturating_sub(CONTEXT - 1).max(1));
        let read =
            move |reader: &mut dyn crate::log::Reader| reader.entries(&clinic, &conversation, from, basis);
        let (summary, records) = self.shared.readers.read(read).await.ok()??;
        let (shared, job) = (self.shared.clone(), self.job.clone());
        Some(Reading {
            patient: summary.conversation.patient,
            conversation: summary.conversation.id,
            entries: records.into_iter().map(|record| record.entry).collect(),
            draft: Draft::new(move |text| tell(&shared, &job, SuggestingState::Running, Some(text))),
        })
    }

    async fn end(&self, advice: Option<Advice>) {
        let result = advice.map(|advice| Suggestion {
            task: self.job.task.clone(),
            basis: self.job.basis,
            items: advice.items,
            model: advice.model,
            version: advice.version,
            abstained: advice.abstained,
            extra: Extra::new(),
        });
        let result = result
            .filter(|result| Body::Suggestion(result.clone()).check(&self.shared.config.limits).is_ok())
            .map(Box::new);
        self.shared.metrics.task(match &result {
            None => "failed",
            Some(result) if result.abstained.is_some() => "abstained",
            Some(_) => "done",
        });
        if result.is_none() {
            self.tell(SuggestingState::Failed);
        }
        self.write(Write::End { job: self.job.clone(), result }).await;
    }

    /// Commits, however long the disk takes. None: the row has ended already.
    async fn write(&self, write: Write) -> Option<Answer> {
        loop {
            match self.shared.writer.write(write.clone()).await {
                Ok(outcome) => return Some(outcome.answer),
                Err(Refusal { code: Code::Unavailable, retry_after_ms, .. }) => {
                    tokio::time::sleep(Duration::from_millis(retry_after_ms.unwrap_or(1_000))).await;
                }
                Err(_) => return None,
            }
        }
    }

    fn tell(&self, state: SuggestingState) {
        tell(&self.shared, &self.job, state, None);
    }
}

fn tell(shared: &Shared, job: &Job, state: SuggestingState, text: Option<String>) {
    let (conversation, task) = (job.conversation.clone(), job.task.clone());
    shared.hub.suggesting(&job.clinic, Suggesting { conversation, task, state, text });
}
