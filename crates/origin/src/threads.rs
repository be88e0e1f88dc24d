//! Work for all cores.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

/// What a thread has made. Whatever stopped it stops whoever waits.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|cause| resume_unwind(cause))
}

/// How many threads compute at the same time.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does `count` things on some threads, which `start` prepares, and gives what each made, in order.
/// The first that fails, in their order, decides; some of those behind it may be done.
///
/// # Errors
/// What `start` or the work of the first failing thing gives.
pub(crate) fn each<T: Send, E: Send, W: FnMut(usize) -> Result<T, E>>(
    count: usize,
    threads: usize,
    start: impl Fn() -> Result<W, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut made = Vec::new();
        let mut work = match start() {
            Ok(work) => work,
            Err(error) => return (made, Some((0, error))),
        };
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return (made, None);
            }
            match work(index) {
                Ok(thing) => made.push((index, thing)),
                Err(error) => {
                    next.fetch_max(count, Ordering::Relaxed);
                    return (made, Some((index, error)));
                }
            }
        }
    };
    let runs: Vec<_> = thread::scope(|scope| {
        let others = 1..threads.min(count);
        let spawned: Vec<_> = others.map(|_| scope.spawn(run)).collect();
        std::iter::once(run()).chain(spawned.into_iter().map(joined)).collect()
    });
    let (made, failed): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    if let Some((_, error)) = failed.into_iter().flatten().min_by_key(|(index, _)| *index) {
        return Err(error);
    }
    let mut made: Vec<_> = made.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(index, _)| *index);
    Ok(made.into_iter().map(|(_, thing)| thing).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn things_come_in_order_and_the_first_failure_decides() {
        let start = || Ok::<_, usize>(|index| Ok(index * 2));
        assert_eq!(each(1_000, 4, start).unwrap(), (0..1_000).map(|n| n * 2).collect::<Vec<_>>());
        let start = || Ok(|index| if index % 10 == 7 { Err(index) } else { Ok(index) });
        assert_eq!(each(1_000, 4, start).unwrap_err(), 7);
        assert!(each(0, 4, || Ok::<_, usize>(Ok)).unwrap().is_empty());
    }
}
