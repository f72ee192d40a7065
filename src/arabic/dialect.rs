//! Whether a text is in a dialect rather than in Modern Standard Arabic.
//!
//! In: the sentences of a text. Out: how many of them have a word that only a dialect has, and which words these were.
//! One quoted sentence of dialect in formal prose is no dialect text. Words that formal Arabic writes too (يعني, حاجة, دول)
//! are left out, at the cost of some sentences. Source: the function words of the dialects as grammars list them
//! (Brustad, The Syntax of Spoken Arabic; Holes, Modern Arabic).

use super::words::words;

/// A group of dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variety {
    /// Of Egypt and Sudan.
    Egyptian,
    /// Of Syria, Lebanon, Jordan and Palestine.
    Levantine,
    /// Of the Gulf and Iraq.
    Gulf,
    /// Of Libya, Tunisia, Algeria and Morocco.
    Maghrebi,
}

impl Variety {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Egyptian => "Egyptian",
            Self::Levantine => "Levantine",
            Self::Gulf => "Gulf or Iraqi",
            Self::Maghrebi => "Maghrebi",
        }
    }
}

/// Words of one group, folded; those of several groups stand in each.
const MARKERS: &[(Variety, &[&str])] = &[
    (
        Variety::Egyptian,
        &[
            "مش",
            "عايز",
            "عايزه",
            "عايزين",
            "عاوز",
            "عاوزه",
            "ازاي",
            "ليه",
            "دلوقتي",
            "كده",
            "كدا",
            "اوي",
            "بتاع",
            "بتاعت",
            "بتاعه",
            "بتاعي",
            "النهارده",
            "النهارده",
            "امبارح",
            "بكره",
            "مفيش",
            "مافيش",
            "احنا",
            "ده",
            "دي",
            "عشان",
            "علشان",
            "برضه",
            "برضو",
            "كمان",
            "اللي",
            "لسه",
            "محدش",
            "معلش",
            "معرفش",
            "ماعرفش",
            "بيقول",
            "بيعمل",
            "هيعمل",
            "حد",
            "كتير",
            "ازيك",
            "عندناش",
            "فين",
        ],
    ),
    (
        Variety::Levantine,
        &[
            "مش",
            "شو",
            "هيك",
            "هلق",
            "هلا",
            "وين",
            "مو",
            "ليش",
            "منيح",
            "كتير",
            "بدي",
            "بدك",
            "بدنا",
            "بدو",
            "بدهم",
            "هاد",
            "هاي",
            "هدول",
            "كيفك",
            "لهيك",
            "هون",
            "هونيك",
            "مشان",
            "منشان",
            "عشان",
            "كمان",
            "اللي",
            "لسا",
            "شوي",
            "حدا",
            "ايمتي",
            "نحنا",
            "متل",
            "ماحدا",
            "عنا",
            "هالشي",
        ],
    ),
    (
        Variety::Gulf,
        &[
            "شنو",
            "شلون",
            "اشلون",
            "وش",
            "ايش",
            "ليش",
            "وايد",
            "الحين",
            "هالحين",
            "تبي",
            "يبي",
            "نبي",
            "يبغي",
            "ابغي",
            "تبغي",
            "نبغي",
            "عشان",
            "مو",
            "ماكو",
            "اكو",
            "هسه",
            "شكو",
            "هوايه",
            "هواي",
            "خوش",
            "اللي",
            "وين",
            "انتو",
            "هاي",
            "چان",
            "مب",
            "يبون",
            "احنا",
            "شسوي",
            "اشوف",
            "بعدين",
            "شفت",
        ],
    ),
    (
        Variety::Maghrebi,
        &[
            "واش",
            "بزاف",
            "شنو",
            "شنوه",
            "كيفاش",
            "علاش",
            "ديال",
            "ديالي",
            "ديالنا",
            "ديالهم",
            "ديالو",
            "هاد",
            "هادي",
            "راه",
            "راني",
            "راك",
            "برشا",
            "باش",
            "توا",
            "توه",
            "ماكانش",
            "كاين",
            "كاينه",
            "خويا",
            "فاش",
            "غادي",
            "دابا",
            "هكا",
            "هكاك",
            "شكون",
            "وقتاش",
            "تاع",
            "نتاع",
            "متاع",
            "مانيش",
            "موش",
            "اللي",
            "حنا",
            "احنا",
            "وين",
            "ماشي",
            "بصح",
            "هذاكا",
            "علي خاطر",
            "خاطر",
            "ماعندناش",
            "كيما",
            "ليوم",
        ],
    ),
];

/// What is known of the dialect in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialect {
    /// The group with the most words in it.
    pub variety: Variety,
    /// The share of the sentences that have a word of a dialect, 0 to 1.
    pub share: f64,
    /// The words found, folded, each once, in order.
    pub markers: Vec<String>,
}

/// A text is one of dialect where this share of its sentences has a marker...
const LEAST_SHARE: f64 = 0.34;
/// ...this many different markers were found...
const LEAST_MARKERS: usize = 2;
/// ...and this share of the words are markers: a long sentence has one by chance.
const LEAST_DENSITY: f64 = 0.025;

/// Returns a sentence without what it quotes, where more than a word or two are left: these are the writer's own.
fn without_quotations(sentence: &str) -> String {
    let mut own = String::with_capacity(sentence.len());
    let mut within = false;
    for c in sentence.chars() {
        match c {
            '«' | '“' => within = true,
            '»' | '”' => within = false,
            '"' => within = !within,
            c if !within => own.push(c),
            _ => {}
        }
    }
    if own.split_whitespace().count() >= 3 { own } else { sentence.to_owned() }
}

/// Judges the sentences of a text; none where it is formal Arabic on the whole.
pub fn dialect<'t>(sentences: impl Iterator<Item = &'t str>) -> Option<Dialect> {
    let (mut all, mut marked, mut total, mut hits) = (0usize, 0usize, 0usize, 0usize);
    let mut markers: Vec<String> = Vec::new();
    let mut votes = [0usize; 4];
    for sentence in sentences {
        let own = without_quotations(sentence);
        let words = words(&own);
        if words.is_empty() {
            continue;
        }
        all += 1;
        total += words.len();
        let before = hits;
        for word in &words {
            let bare = word.folded.strip_prefix(['و', 'ف']).unwrap_or(&word.folded);
            let mut found = false;
            for (place, (_, list)) in MARKERS.iter().enumerate() {
                if list.contains(&word.folded.as_str()) || list.contains(&bare) {
                    votes[place] += 1;
                    found = true;
                }
            }
            if found {
                hits += 1;
                let shown = if MARKERS.iter().any(|(_, list)| list.contains(&word.folded.as_str())) {
                    &word.folded
                } else {
                    bare
                };
                if !markers.iter().any(|m| m == shown) {
                    markers.push(shown.to_owned());
                }
            }
        }
        marked += usize::from(hits > before);
    }
    if all == 0 {
        return None;
    }
    let share = marked as f64 / all as f64;
    let dense = hits as f64 >= LEAST_DENSITY * total as f64;
    if share < LEAST_SHARE || markers.len() < LEAST_MARKERS || !dense {
        return None;
    }
    let most = (0..votes.len()).max_by_key(|&at| (votes[at], std::cmp::Reverse(at)))?;
    Some(Dialect { variety: MARKERS[most].0, share, markers })
}
