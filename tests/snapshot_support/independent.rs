//! The digests and the pack once more, written from docs/FORMAT.md and not from the code.

use edgegrant::snapshot::{Digest, Encoded, Roots};
use sha2::{Digest as _, Sha512_256};

pub fn sha(parts: &[&[u8]]) -> [u8; 32] {
    Sha512_256::digest(parts.concat()).into()
}

pub fn pair(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    sha(&[&[1], &left, &right])
}

/// RFC 9162 §2.1.1, by its recursive definition.
pub fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => sha(&[]),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            pair(tree(&leaves[..split]), tree(&leaves[split..]))
        }
    }
}

pub fn page_digest(page: &[u8]) -> [u8; 32] {
    sha(&[&[0], &page[..32], &sha(&[&page[32..]])])
}

/// The nodes above some pages, the root first.
pub fn nodes(pages: &[[u8; 32]]) -> Vec<Vec<u8>> {
    if pages.len() == 1 {
        return Vec::new();
    }
    let lower: Vec<&[[u8; 32]]> = pages.chunks(256).collect();
    let bytes: Vec<Vec<u8>> = lower.iter().map(|node| node.concat()).collect();
    if lower.len() == 1 {
        return bytes;
    }
    let roots: Vec<[u8; 32]> = lower.iter().map(|node| tree(node)).collect();
    let mut all = nodes(&roots);
    all.extend(bytes);
    all
}

/// A pack of such parts, signed or not, and what a head would say of it.
pub fn pack(catalogue: &[u8], pages: &[Vec<u8>]) -> (Vec<u8>, Roots) {
    let digests: Vec<[u8; 32]> = pages.iter().map(|page| page_digest(page)).collect();
    let bytes = pack_with_nodes(catalogue, &nodes(&digests), pages);
    let roots = Roots {
        root: Digest(tree(&digests)),
        catalogue: Digest(sha(&[catalogue])),
        pack_length: bytes.len() as u64,
    };
    (bytes, roots)
}

pub fn pack_with_nodes(catalogue: &[u8], nodes: &[Vec<u8>], pages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"EGB\x01".to_vec();
    bytes.extend((catalogue.len() as u32).to_le_bytes());
    bytes.extend(catalogue);
    nodes.iter().for_each(|node| bytes.extend(node));
    let mut end = 0;
    for page in pages {
        end += page.len() as u32;
        bytes.extend(end.to_le_bytes());
    }
    pages.iter().for_each(|page| bytes.extend(page));
    bytes
}

pub fn page_bytes(encoded: &Encoded) -> Vec<Vec<u8>> {
    encoded.pages.iter().map(|page| page.bytes.clone()).collect()
}
