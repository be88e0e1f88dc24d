//! Which files of a folder heads name, directly and through what they name.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use edgegrant::snapshot::{Catalogue, Digest, Tree};
use edgegrant::trust::Head;

use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::{self, Folder};

/// No part is longer.
pub(crate) const PART_BYTES_MAX: u64 = 1 << 20;

/// The files that some heads reach.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// The names of catalogues, nodes and pages.
    pub(crate) parts: HashSet<Digest>,
    /// The names of packs.
    pub(crate) packs: BTreeSet<String>,
}

impl Reach {
    /// Adds what a head reaches. Pages are named and not read.
    ///
    /// # Errors
    /// `folder-damaged` when the catalogue or a node is not there or not what its name says.
    pub(crate) fn add(&mut self, folder: &Folder, head: &Head) -> Result<(), Failure> {
        let roots = folder::roots(head);
        if roots.has_pack() {
            self.packs.insert(roots.pack_name());
        }
        self.parts.insert(roots.catalogue);
        let tree = Tree::of(&catalogue(folder, head)?);
        let mut level_below = vec![roots.root];
        for level in 0..tree.levels() {
            let mut children = Vec::new();
            for node in level_below {
                // What another head reaches already was walked then.
                if self.parts.insert(node) {
                    children.extend(self::children(folder, tree, level, &node)?);
                }
            }
            level_below = children;
        }
        self.parts.extend(level_below);
        Ok(())
    }

    /// Whether every file is there, without reading pages and packs.
    ///
    /// # Errors
    /// `folder-damaged` for the first that is not.
    pub(crate) fn check(&self, folder: &Folder) -> Result<(), Failure> {
        let parts = self.parts.iter().map(|part| folder.part(part));
        let packs = self.packs.iter().map(|name| folder.packs().join(name));
        match parts.chain(packs).find(|path| !path.is_file()) {
            Some(path) => Err(damaged(&path)),
            None => Ok(()),
        }
    }
}

/// The catalogue that a head names.
pub(crate) fn catalogue(folder: &Folder, head: &Head) -> Result<Catalogue, Failure> {
    let name = Digest(head.catalogue);
    let bytes = part(folder, &name)?;
    Catalogue::named(&name, &bytes).map_err(|_| damaged(&folder.part(&name)))
}

/// The names of all parts of a body, in the order of their places: the catalogue, the nodes from
/// the root downwards, the pages.
///
/// # Errors
/// As [`Reach::add`].
pub(crate) fn names(folder: &Folder, head: &Head) -> Result<Vec<Digest>, Failure> {
    let tree = Tree::of(&catalogue(folder, head)?);
    let mut names = vec![Digest(head.catalogue)];
    let mut below = vec![Digest(head.root)];
    for level in 0..tree.levels() {
        names.extend_from_slice(&below);
        let children = below.iter().map(|node| children(folder, tree, level, node));
        below = children.collect::<Result<Vec<_>, _>>()?.concat();
    }
    names.extend(below);
    Ok(names)
}

/// The names that the node with a name consists of.
fn children(folder: &Folder, tree: Tree, level: u8, name: &Digest) -> Result<Vec<Digest>, Failure> {
    let bytes = part(folder, name)?;
    tree.children(level, name, &bytes).map_err(|_| damaged(&folder.part(name)))
}

/// The bytes of a part, not verified.
fn part(folder: &Folder, name: &Digest) -> Result<Vec<u8>, Failure> {
    let path = folder.part(name);
    if path.is_file() { disk::read(&path, PART_BYTES_MAX) } else { Err(damaged(&path)) }
}

fn damaged(path: &Path) -> Failure {
    let message = format!(
        "{}: the file is missing or is not what its name says; publish again from facts, and if \
         only an older head names it, gc --only-present",
        path.display()
    );
    Failure { code: "folder-damaged".into(), message, exit: Exit::Refused }
}
