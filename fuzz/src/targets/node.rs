//! Nodes that were changed, with a root that is right for them.

use std::collections::HashMap;
use std::sync::LazyLock;

use edgegrant::gate::{Clock, Gate, Origin};
use edgegrant::snapshot::{Body, Digest, Roots};

use crate::input::Input;
use crate::signed::{options, signed_head};
use crate::support::assemble::{catalogue, empty_pages, place};
use crate::support::independent::{nodes, pack_with_nodes, page_digest, sha, tree};
use crate::support::{self, SEED, usage_as_of};
use crate::{ask, capped};

/// Bodies of empty pages with one node of 4 entries, and with two levels of nodes.
static TREES: LazyLock<[Tree; 2]> = LazyLock::new(|| [Tree::new(2), Tree::new(9)]);

struct Tree {
    bits: u8,
    catalogue: Vec<u8>,
    pages: Vec<Vec<u8>>,
    digests: Vec<[u8; 32]>,
    nodes: Vec<Vec<u8>>,
}

impl Tree {
    fn new(bits: u8) -> Self {
        let pages = empty_pages(&SEED, bits);
        let digests: Vec<[u8; 32]> = pages.iter().map(|page| page_digest(page)).collect();
        let catalogue = catalogue(&SEED, bits, &[], &[]);
        Self { bits, catalogue, nodes: nodes(&digests), pages, digests }
    }

    /// For each page whether the nodes on the way to it lead there.
    fn leads(&self, nodes: &[Vec<u8>]) -> Vec<bool> {
        let (root, lower) = nodes.split_first().unwrap();
        let chunks = self.digests.chunks(256).enumerate();
        let leads = chunks.flat_map(|(index, digests)| {
            let (node, is_named) = match lower.get(index) {
                Some(node) => (node, root[index * 32..][..32] == tree(node.as_chunks().0)),
                None => (root, true),
            };
            let entries = node.as_chunks::<32>().0;
            entries.iter().zip(digests).map(move |(entry, right)| is_named && entry == right)
        });
        leads.collect()
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let two_changes = [&[1, 0, 0, 3, 0, 1, 2, 3, 1, 5, 0, 1, 0, 9], &[0; 4][..]].concat();
    vec![vec![0], vec![1], vec![0, 0, 0, 0, 1, 0, 7], two_changes]
}

/// The first byte chooses the tree and whether the root is made right; then changes, each a node,
/// an offset and bytes behind their length.
pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mode = input.byte();
    let tree_of = &TREES[usize::from(mode & 1)];
    let mut nodes = tree_of.nodes.clone();
    while !input.is_empty() {
        let count = nodes.len();
        let node = &mut nodes[usize::from(input.byte()) % count];
        let at = usize::from(input.u16()) % node.len();
        let length = usize::from(input.byte());
        for (byte, change) in node[at..].iter_mut().zip(input.take(length)) {
            *byte ^= change;
        }
    }
    let root = if mode & 2 == 0 { &nodes[0] } else { &tree_of.nodes[0] };
    let pack = pack_with_nodes(&tree_of.catalogue, &nodes, &tree_of.pages);
    let roots = Roots {
        root: Digest(tree(root.as_chunks().0)),
        catalogue: Digest(sha(&[&tree_of.catalogue])),
        pack_length: pack.len() as u64,
    };
    check(tree_of, &nodes, *root == nodes[0], pack, &roots);
}

fn check(tree: &Tree, nodes: &[Vec<u8>], rooted: bool, pack: Vec<u8>, roots: &Roots) {
    let length = pack.len();
    let opened = capped::reading(length, || Body::open(pack, roots, usage_as_of()));
    let Ok(body) = opened else { return assert!(!rooted, "a right root was refused") };
    let leads: Vec<bool> = tree.leads(nodes).iter().map(|leads| rooted && *leads).collect();
    for number in 0..8 {
        let (id, page) = customer(tree, number);
        assert_eq!(body.subject(&id).is_ok(), leads[page], "page {page}");
    }
    let verified = capped::reading(length, || ask::every_page(&body));
    assert_eq!(verified.is_ok(), leads.iter().all(|leads| *leads));
    paged(tree, nodes, roots, &leads);
}

/// The same, fetched part by part as subjects ask for them. Where no part has the wanted digest, a
/// wrong one is offered and refused.
fn paged(tree: &Tree, nodes: &[Vec<u8>], roots: &Roots, leads: &[bool]) {
    let mut gate = Gate::new(options());
    gate.hold_pages(1 << 20);
    gate.offer(&signed_head(roots, 1), Clock::Untrusted, Origin::Network).unwrap();
    gate.supply(roots.catalogue, &tree.catalogue).unwrap();
    assert!(gate.swap().unwrap());
    let node_digest = |node: &Vec<u8>| support::independent::tree(node.as_chunks().0);
    let mut parts: HashMap<[u8; 32], &[u8]> = HashMap::new();
    parts.extend(tree.digests.iter().copied().zip(tree.pages.iter().map(Vec::as_slice)));
    parts.extend(nodes.iter().map(|node| (node_digest(node), node.as_slice())));
    for number in 0..8 {
        let (id, page) = customer(tree, number);
        let mut arrived = true;
        while let Some(name) = gate.needs(&id).unwrap() {
            let part = parts.get(&name.0).copied();
            if gate.keep(&id, name, part.unwrap_or(&nodes[0])).is_err() {
                arrived = false;
                break;
            }
            assert!(part.is_some(), "a part under another name was kept");
        }
        assert_eq!(arrived, leads[page], "page {page}");
    }
}

fn customer(tree: &Tree, number: usize) -> (String, usize) {
    let id = format!("customer-{number}");
    let page = (place(&SEED, id.as_bytes()) >> (64 - tree.bits)) as usize;
    (id, page)
}
