//! What a task has written so far, shown while it grows.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Nobody reads faster, and each frame goes to all providers.
const EVERY: Duration = Duration::from_millis(200);

/// Tells of a growing draft, now and then.
pub struct Draft {
    tell: Box<dyn Fn(String) + Send + Sync>,
    told: Mutex<Option<Instant>>,
}

impl Draft {
    /// A draft that `tell` tells of.
    pub fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { tell: Box::new(tell), told: Mutex::default() }
    }

    /// Tells of all of the draft so far, if it is time for that. `text` is made only then; there may be nothing yet.
    pub fn grown(&self, text: impl FnOnce() -> Option<String>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| told.elapsed() < EVERY) {
            return;
        }
        if let Some(text) = text().filter(|text| !text.is_empty()) {
            (self.tell)(text);
            *told = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn it_is_told_of_at_once_and_then_now_and_then() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let draft = Draft::new({
            let told = told.clone();
            move |text| told.lock().unwrap().push(text)
        });
        draft.grown(|| None);
        for n in 0..=40 {
            draft.grown(|| Some(n.to_string()));
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(*told.lock().unwrap(), ["0", "20", "40"]);
    }
}
