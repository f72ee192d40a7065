//! Makes hostile files of good ones.
//!
//! In: good files and a number. Out: the same hostile file for the same number. Structured formats are changed within their
//! structure as well, so that what is wrong lies deeper than a checksum or a length in front.

use serde_json::{Value, json};

/// A generator of random numbers (`SplitMix64`).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 for 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// Numbers at which lengths and counts go wrong, for a file of `bytes` bytes.
    pub fn extreme(&mut self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        match self.below(24) {
            0 => bytes,
            1 => bytes.wrapping_sub(1),
            2 => bytes + 1,
            3 => bytes / 2,
            4 => bytes / 24,
            5 => bytes.wrapping_neg(),
            6 => 0,
            7 => 1,
            8 => 0x7f,
            9 => 0xff,
            10 => 0xffff,
            11 => 0x7fff_ffff,
            12 => 0x8000_0000,
            13 => 0xffff_ffff,
            14 => 0x1_0000_0000,
            15 => 1 << 30,
            16 => 1 << 40,
            17 => 1 << 60,
            18 => 1 << 61,
            19 => 1 << 62,
            20 => i64::MAX as u64,
            21 => 1 << 63,
            22 => u64::MAX,
            _ => self.next() >> self.below(64),
        }
    }
}

/// Changes bytes: flips, cuts, copies, numbers of one to eight bytes.
pub fn bytes(random: &mut Random, good: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut file = good.to_vec();
    for _ in 0..1 + random.below(4) {
        if file.is_empty() {
            break;
        }
        // Headers lie in front.
        let within = if random.below(3) == 0 { file.len() } else { file.len().min(2048) };
        let at = random.below(within);
        match random.below(8) {
            0 => file[at] ^= 1 << random.below(8),
            1 => file[at] = random.next() as u8,
            2 => file.truncate(at),
            3 => drop(file.drain(at..(at + 1 + random.below(64)).min(file.len()))),
            4 => {
                let other = random.pick(others);
                let start = random.below(other.len());
                let end = (start + 1 + random.below(256)).min(other.len());
                file.splice(at..at, other[start..end].iter().copied());
            }
            5 => {
                // Once more, many times.
                let part = file[at..(at + 1 + random.below(64)).min(file.len())].to_vec();
                let times = 1 + random.below(40);
                let part = part.repeat(times);
                file.splice(at..at, part);
            }
            kind => {
                let width = [1, 2, 4, 8, 4, 8][random.below(6)];
                // What looks like a length is one more often than not.
                let at = match kind {
                    6 => (at..within).find(|&at| is_length(&file, at, width)).unwrap_or(at),
                    _ => at,
                };
                let number = random.extreme(good.len()).to_le_bytes();
                let end = (at + width).min(file.len());
                file[at..end].copy_from_slice(&number[..end - at]);
            }
        }
    }
    file
}

fn is_length(file: &[u8], at: usize, width: usize) -> bool {
    let Some(bytes) = file.get(at..at + width) else { return false };
    let number = bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    (1..=file.len() as u64).contains(&number)
}

/// Changes a value somewhere within a JSON document; returns its text, some of it broken.
pub fn json(random: &mut Random, good: &Value) -> Vec<u8> {
    let mut document = good.clone();
    for _ in 0..1 + random.below(3) {
        change(random, &mut document, 0);
    }
    let mut text = document.to_string().into_bytes();
    match random.below(12) {
        0 => text = bytes(random, &text, std::slice::from_ref(&good.to_string().into_bytes())),
        1 => {
            // A number that JSON has no place for, a key that is there twice.
            let at = random.below(text.len());
            let inserted: &[u8] = random.pick::<&[u8]>(&[
                &b"NaN"[..],
                b"-Infinity",
                b"1e999",
                b"-0",
                b"1e-999",
                b"\"d_model\":5,",
                b"\"\\ud800\"",
                b"\"\\u0000\"",
                b"99999999999999999999999999",
                b"/*",
                b"\xff\xfe",
            ]);
            text.splice(at..at, inserted.iter().copied());
        }
        2 => {
            let depth = 1 + random.below(5000);
            let at = random.below(text.len());
            let bracket = *random.pick(&[&b"["[..], b"{\"a\":"]);
            text.splice(at..at, bracket.repeat(depth));
        }
        _ => {}
    }
    text
}

fn change(random: &mut Random, value: &mut Value, depth: usize) {
    let deeper = depth < 8 && random.below(5) > 0;
    match value {
        Value::Object(map) if deeper && !map.is_empty() => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = random.pick(&keys).clone();
            match random.below(16) {
                0 => drop(map.shift_remove(&key)),
                1 => {
                    let old = map.shift_remove(&key).unwrap();
                    map.insert(text(random), old);
                }
                2 => {
                    let old = map[&key].clone();
                    map.extend((0..random.below(50)).map(|number| (format!("{key}{number}"), old.clone())));
                }
                _ => change(random, &mut map[&key], depth + 1),
            }
        }
        Value::Array(list) if deeper && !list.is_empty() => {
            let at = random.below(list.len());
            match random.below(12) {
                0 => drop(list.remove(at)),
                1 => {
                    let old = list[at].clone();
                    list.extend(std::iter::repeat_n(old, random.below(300)));
                }
                _ => change(random, &mut list[at], depth + 1),
            }
        }
        _ => *value = leaf(random),
    }
}

fn text(random: &mut Random) -> String {
    match random.below(8) {
        0 => String::new(),
        1 => "a".repeat(random.below(3000)),
        2 => "\u{10FFFD}".repeat(random.below(20)),
        3 => "../../etc/passwd".into(),
        4 => "</s>".into(),
        5 => "\u{0}".into(),
        6 => (*random.pick(&["F64", "F16", "U8", "Sequence", "Unigram", "BPE", "Replace", "Precompiled"])).into(),
        _ => "ا".repeat(random.below(9)),
    }
}

fn leaf(random: &mut Random) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(1e300),
        4 => json!(0.5),
        5 => json!([]),
        6 => json!({}),
        7 => Value::Array(vec![json!([[[[]]]]); random.below(50)]),
        8 | 9 => json!(text(random)),
        10 => Value::Array(vec![json!(random.extreme(4096)); random.below(12)]),
        _ => json!(random.extreme(4096)),
    }
}
