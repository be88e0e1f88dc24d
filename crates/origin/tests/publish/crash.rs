//! Whoever is interrupted leaves a folder that serves the old snapshot or the new one whole, and
//! the next run repairs the rest.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use edgegrant::trust::VerifiedHead;
use edgegrant_origin::disk::{Disk, Local, Readers};
use edgegrant_origin::folder::Folder;
use edgegrant_origin::gc::{self, gc};
use edgegrant_origin::publish::{complete, prepare, publish, renew};
use edgegrant_origin::{Exit, Failure};

use crate::elsewhere::Signer;
use crate::kit::{Origin, at, bulky, key, names};

const FIRST: &str = "2026-11-20T12:05:10Z";
const SECOND: &str = "2026-11-20T12:10:10Z";
const THIRD: &str = "2026-11-20T12:20:10Z";
const NEXT_DAY: &str = "2026-11-21T12:10:09Z";

/// A disk that breaks after so many changes and stays broken, as for a process that was killed.
#[derive(Debug)]
struct Breaking {
    left: AtomicUsize,
}

impl Breaking {
    fn after(changes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(changes) })
    }

    fn spend(&self) -> Result<(), Failure> {
        let spent =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let broken = || Failure { code: "broken".into(), message: "".into(), exit: Exit::Io };
        spent.map(|_| ()).map_err(|_| broken())
    }
}

impl Disk for Breaking {
    fn write(&self, path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
        self.spend()?;
        Local.write(path, bytes, readers)
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        self.spend()?;
        Local.remove(path)
    }

    fn settle(&self, _: &Path) -> Result<(), Failure> {
        self.spend()
    }
}

/// Facts, and the same with one customer changed.
fn before_and_after() -> (String, String) {
    let before = bulky(32);
    let after = before.replace("\"bulky-7\"", "\"bulky-7\",\"status\":\"suspended\"");
    (before, after)
}

/// Runs an attempt on ever longer lasting disks until one lasts, and says how many broke.
fn until_it_lasts(
    make: impl Fn() -> Origin,
    attempt: impl Fn(&Origin, Arc<dyn Disk>) -> Result<(), Failure>,
    after: impl Fn(&Origin),
) -> usize {
    for changes in 0..10_000 {
        let origin = make();
        let result = attempt(&origin, Breaking::after(changes));
        after(&origin);
        match result {
            Ok(()) => return changes,
            Err(failure) => assert_eq!(failure.code, "broken", "{}", failure.message),
        }
    }
    panic!("the attempt never succeeds");
}

#[test]
fn publishing_may_be_interrupted_anywhere() {
    let (before, after) = before_and_after();
    let make = || {
        let origin = Origin::new(&before);
        origin.publish(FIRST).unwrap();
        origin.write(&after);
        origin
    };
    let undisturbed = make();
    undisturbed.publish(SECOND).unwrap();
    assert_eq!(names(&undisturbed.folder().deltas()).len(), 1);
    let broken = until_it_lasts(
        make,
        |origin, disk| {
            publish(&origin.options(SECOND), &[key()], &origin.folder_on(disk)).map(|_| ())
        },
        |origin| {
            origin.assert_whole();
            origin.publish(THIRD).unwrap();
            origin.assert_whole();
            let freed = origin.gc("2026-11-21T12:20:09Z");
            assert!(freed.heads_kept <= 2, "{freed:?}");
            assert_eq!(origin.parts().len(), origin.named_parts());
            assert_eq!(names(&origin.folder().packs()).len(), 1);
            origin.assert_whole();
        },
    );
    assert!(broken > 8, "page, node, catalogue, delta, pack, head, state, head: {broken}");
}

#[test]
fn the_first_publishing_may_be_interrupted_anywhere() {
    let (facts, _) = before_and_after();
    until_it_lasts(
        || Origin::new(&facts),
        |origin, disk| {
            publish(&origin.options(FIRST), &[key()], &origin.folder_on(disk)).map(|_| ())
        },
        |origin| {
            if origin.folder().head().exists() {
                origin.assert_whole();
            }
            origin.publish(SECOND).unwrap();
            origin.assert_whole();
            // What was written under a seed that was lost is not reached.
            origin.gc(NEXT_DAY);
            origin.gc("2026-11-22T12:00:00Z");
            origin.assert_whole();
            assert_eq!(origin.parts().len(), origin.named_parts());
        },
    );
}

#[test]
fn renewing_and_preparing_may_be_interrupted_anywhere() {
    let (before, after) = before_and_after();
    let make = || {
        let origin = Origin::new(&before);
        origin.publish(FIRST).unwrap();
        origin
    };
    let check = |origin: &Origin| {
        origin.assert_whole();
        origin.write(&after);
        origin.publish(THIRD).unwrap();
        origin.assert_whole();
        assert!(!origin.folder().pending().exists(), "a newer snapshot takes its place");
    };
    let renewed = until_it_lasts(
        make,
        |origin, disk| renew(&origin.terms(SECOND), &[key()], &origin.folder_on(disk)).map(|_| ()),
        check,
    );
    let prepared = until_it_lasts(
        make,
        |origin, disk| {
            origin.write(&after);
            let keys = [key().trusted_key()];
            prepare(&origin.options(SECOND), &keys, &origin.folder_on(disk)).map(|_| ())
        },
        check,
    );
    assert!(renewed >= 3 && prepared > 5, "{renewed} {prepared}");
}

#[test]
fn taking_signatures_may_be_interrupted_anywhere() {
    let (before, after) = before_and_after();
    let make = || {
        let origin = Origin::new(&before);
        origin.publish(FIRST).unwrap();
        origin.write(&after);
        let keys = [key().trusted_key()];
        let unsigned = prepare(&origin.options(SECOND), &keys, &origin.folder()).unwrap();
        let signature = Signer::of_kit().sign(&unsigned);
        std::fs::write(origin.folder().path().join("signature"), signature).unwrap();
        origin
    };
    let take = |origin: &Origin, folder: &Folder| {
        let signature = std::fs::read(origin.folder().path().join("signature")).unwrap();
        complete(&[signature], at(SECOND), folder).map(|_| ())
    };
    let broken = until_it_lasts(
        make,
        |origin, disk| take(origin, &origin.folder_on(disk)),
        |origin| {
            origin.assert_whole();
            // Whoever gives the signature once more gets what was prepared, or has it already.
            let again = take(origin, &origin.folder());
            assert!(again.is_ok() || !origin.folder().pending().exists());
            assert_eq!(origin.head().head().issued_at, at(SECOND));
            origin.assert_whole();
        },
    );
    assert!(broken > 4, "{broken}");
}

#[test]
fn gc_may_be_interrupted_anywhere() {
    let (before, after) = before_and_after();
    let make = || {
        let origin = Origin::new(&bulky(24));
        origin.publish(FIRST).unwrap();
        origin.write(&before);
        origin.publish(SECOND).unwrap();
        origin.write(&after);
        origin.publish(THIRD).unwrap();
        origin
    };
    for only_present in [false, true] {
        // The first head has expired, the second has not.
        let options = gc::Options { now: at("2026-11-21T12:05:10Z"), only_present, dry_run: false };
        let broken = until_it_lasts(
            make,
            |origin, disk| gc(&options, &origin.folder_on(disk)).map(|_| ()),
            |origin| {
                origin.assert_present_whole();
                let holds =
                    |head: &&VerifiedHead| !only_present && head.head().expires_at > options.now;
                origin.kept().iter().filter(holds).for_each(|head| origin.assert_finds_all(head));
                gc(&options, &origin.folder()).unwrap();
                assert_eq!(origin.kept().len(), if only_present { 1 } else { 2 });
                assert_eq!(origin.parts().len(), origin.named_parts());
                assert_eq!(names(&origin.folder().packs()).len(), origin.kept().len());
                origin.assert_whole();
            },
        );
        assert!(broken > 3, "{broken}");
    }
}
