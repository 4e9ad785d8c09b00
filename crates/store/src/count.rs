//! How many statements a piece of work sends to the database, so that tests can hold every list to its number. Tests call [`statements`].

use std::cell::Cell;

tokio::task_local! {
    static STATEMENTS: Cell<u64>;
}

/// Runs `work` and counts the statements that it sends, as far as they are sent by its own task.
pub async fn statements<F: Future>(work: F) -> (F::Output, u64) {
    let counted = async {
        let output = work.await;
        (output, STATEMENTS.with(Cell::get))
    };
    STATEMENTS.scope(Cell::new(0), counted).await
}

/// One more statement. Outside of [`statements`] nobody counts.
pub(crate) fn note() {
    // The only error is that nobody counts.
    let _ = STATEMENTS.try_with(|count| count.set(count.get() + 1));
}
