//! Passages are written about side by side, by as many threads as rayon has, and what comes out is as if one had
//! written after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::abstractive::Writing;
use crate::error::{Error, Result};

/// Threads that write, and the one who is told how far they are.
pub(super) struct Desk<'a>(Mutex<State<'a>>);

struct State<'a> {
    writing: Writing,
    /// Whether `progress` has said to stop.
    stopped: bool,
    progress: &'a mut (dyn FnMut(Writing) -> bool + Send),
}

impl<'a> Desk<'a> {
    pub(super) fn new(progress: &'a mut (dyn FnMut(Writing) -> bool + Send)) -> Self {
        Self(Mutex::new(State {
            writing: Writing {
                passages: 0,
                total_passages: 0,
                tokens: 0,
            },
            stopped: false,
            progress,
        }))
    }

    /// What `write` makes of each number below `count`, in their order. It is told a number and what to call after
    /// each token with the tokens so far: `false` is the wish that it ends with [`Error::Interrupted`].
    ///
    /// Numbers are begun in their order and each is written by one thread, so that no more are under way than there
    /// are threads.
    ///
    /// # Errors
    /// That of the lowest number that fails, whichever fails first; and [`Error::Interrupted`].
    pub(super) fn write_all<T: Send>(
        &self,
        count: usize,
        write: impl Fn(usize, &mut dyn FnMut(usize) -> bool) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        self.lock().writing.total_passages += count;
        let next = AtomicUsize::new(0);
        // The lowest number that failed: what is below it is written to its end, for it may fail as well.
        let failed = AtomicUsize::new(usize::MAX);
        let one = || {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if number >= count.min(failed.load(Ordering::SeqCst)) || self.lock().stopped {
                return None;
            }
            let mut own = 0;
            let result = write(number, &mut |tokens| {
                let before = std::mem::replace(&mut own, tokens);
                let goes_on = self.tell(|writing| writing.tokens = writing.tokens + tokens - before);
                goes_on && number < failed.load(Ordering::SeqCst)
            });
            self.lock().writing.tokens -= own;
            match result {
                Ok(_) => {
                    self.tell(|writing| writing.passages += 1);
                }
                Err(_) => {
                    failed.fetch_min(number, Ordering::SeqCst);
                }
            }
            Some((number, result))
        };
        let threads = rayon::current_num_threads().min(count);
        let written = (0..threads).into_par_iter().with_max_len(1);
        let mut written: Vec<(usize, Result<T>)> =
            written.flat_map_iter(|_| std::iter::from_fn(one)).collect();
        written.sort_unstable_by_key(|&(number, _)| number);
        let written: Vec<T> = written
            .into_iter()
            .map(|(_, result)| result)
            .collect::<Result<_>>()?;
        match self.lock().stopped {
            true => Err(Error::Interrupted),
            false => Ok(written),
        }
    }

    /// Changes the count, and tells it unless the work is to stop. Whether it goes on.
    fn tell(&self, change: impl FnOnce(&mut Writing)) -> bool {
        let mut state = self.lock();
        change(&mut state.writing);
        if !state.stopped {
            let writing = state.writing;
            state.stopped = !(state.progress)(writing);
        }
        !state.stopped
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Runs `work` where rayon has this many threads.
    pub(in crate::summary) fn on<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(work)
    }

    /// Waits until `is_so`, for ten seconds at most.
    fn waits_until(mut is_so: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while !is_so() && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        is_so()
    }

    #[test]
    fn as_many_are_under_way_as_there_are_threads() {
        for threads in [1, 2, 3] {
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut seen = Vec::new();
            let mut progress = |writing: Writing| {
                seen.push(writing);
                true
            };
            let desk = Desk::new(&mut progress);
            let written = on(threads, || {
                desk.write_all(7, |number, step| {
                    let together = now.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(together, Ordering::SeqCst);
                    // The first ones wait for each other.
                    assert!(waits_until(|| most.load(Ordering::SeqCst) >= threads));
                    assert!((1..=3).all(&mut *step));
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(number * number)
                })
            });
            assert_eq!(written.unwrap(), [0, 1, 4, 9, 16, 25, 36]);
            assert_eq!(most.into_inner(), threads);
            assert_eq!(seen.len(), 7 * (3 + 1));
            assert!(seen.is_sorted_by_key(|w| w.passages));
            assert!(
                seen.iter()
                    .all(|w| w.total_passages == 7 && w.tokens <= 3 * threads)
            );
            let last = seen.last().unwrap();
            assert_eq!((last.passages, last.tokens), (7, 0));
        }
    }

    #[test]
    fn the_first_that_fails_is_reported_whichever_fails_first() {
        for threads in [1, 4] {
            let mut progress = |_| true;
            let desk = Desk::new(&mut progress);
            let later = AtomicUsize::new(0);
            let result: Result<Vec<()>> = on(threads, || {
                desk.write_all(9, |number, step| match number {
                    1 => {
                        assert!(threads == 1 || waits_until(|| later.load(Ordering::SeqCst) > 0));
                        Err(Error::Libtorch {
                            reason: "the first".to_owned(),
                        })
                    }
                    2 => {
                        later.fetch_add(1, Ordering::SeqCst);
                        Err(Error::Libtorch {
                            reason: "a later one".to_owned(),
                        })
                    }
                    // What comes after a failure ends soon, what stands before it is told to go on.
                    0 => Ok(()),
                    _ => {
                        assert!(waits_until(|| !step(1)));
                        Err(Error::Interrupted)
                    }
                })
            });
            assert!(matches!(result, Err(Error::Libtorch { reason }) if reason == "the first"));
        }
    }

    #[test]
    fn all_stop_when_one_is_told_to() {
        for threads in [1, 3] {
            let mut calls = 0;
            let mut progress = |_| {
                calls += 1;
                calls < 20
            };
            let begun = AtomicUsize::new(0);
            let desk = Desk::new(&mut progress);
            let result: Result<Vec<()>> = on(threads, || {
                desk.write_all(50, |_, step| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    // Written without an end.
                    let _ = (1..).position(|tokens| !step(tokens));
                    Err(Error::Interrupted)
                })
            });
            assert!(matches!(result, Err(Error::Interrupted)));
            assert_eq!(calls, 20, "nobody is told more after that");
            assert!(begun.into_inner() <= threads);
        }
        // Between two passages.
        let mut progress = |writing: Writing| writing.passages < 2;
        let result = Desk::new(&mut progress).write_all(9, |number, _| Ok(number));
        assert!(matches!(result, Err(Error::Interrupted)));
    }
}
