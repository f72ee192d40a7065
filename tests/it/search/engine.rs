//! The engine around a model that is a table, and how the rounds ask such an engine.

use std::sync::Mutex;

use mujaz::batch::{Batch, Request};
use mujaz::check::Checker;
use mujaz::engine::seq2seq::{Decoding, Facts, Seq2SeqEngine};
use mujaz::engine::tokenizer::pair::PairTokenizer;
use mujaz::engine::{Approach, DecodeParams, Engine, Error, Fingerprint, Finish, Hypothesis, Limits};
use mujaz::glossary::Glossary;
use mujaz::options::Effort;
use mujaz::progress::{Progress, Silent};
use mujaz::translation::rounds;

use super::generation;
use super::model::Table;

/// One token a word: its number of letters; the end token behind. Targets are letters.
#[derive(Debug)]
struct Words;

const END: u32 = 0;
const LETTERS: [&str; 12] = ["</s>", "<pad>", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

impl PairTokenizer for Words {
    fn encode(&self, source: &str) -> Vec<u32> {
        // Marks of direction go the way they go in a real vocabulary's normalisation.
        let letters = |word: &str| word.chars().filter(|c| *c != '\u{200f}').count() as u32;
        source.split_whitespace().map(letters).filter(|&n| n > 0).map(|n| n + 10).chain([END]).collect()
    }

    fn decode(&self, ids: &[u32]) -> String {
        let words: Vec<&str> = ids.iter().filter(|&&id| id > 1).filter_map(|&id| self.piece(id)).collect();
        words.join(" ")
    }

    fn piece(&self, id: u32) -> Option<&str> {
        LETTERS.get(id as usize).copied()
    }
}

fn engine(beams: usize, max_source: Option<usize>) -> Seq2SeqEngine<Table> {
    let model = Table { eos_bias: 1.0, ..Table::new(12, 11, &[END]) };
    let facts = Facts {
        model: "table".into(),
        revision: "1".into(),
        precision: "f64".into(),
        max_source,
        max_target: Some(512),
    };
    Seq2SeqEngine::new(model, Box::new(Words), generation(beams), facts)
}

fn batch(sources: &[&str]) -> Batch {
    Batch::of(sources.iter().map(|&source| Request { source: source.to_owned(), ..Request::default() }).collect())
}

#[test]
fn as_many_beams_as_hypotheses_are_asked_for_and_wider_ones_for_samples() {
    let mut engine = engine(4, None);
    let batch = batch(&["اتفقت الدول على الخطة"]);
    let mut ask = |greedy, samples| {
        let params = DecodeParams { greedy, samples, ..DecodeParams::default() };
        engine.translate(&batch, &params).unwrap().remove(0)
    };
    let one = ask(1, 0);
    let four = ask(4, 0);
    assert_eq!((one.len(), four.len()), (1, 4));
    assert_eq!(one[0], four[0]);
    assert_eq!(four.iter().map(|h| h.origin.as_str()).collect::<Vec<_>>(), ["beam:0", "beam:1", "beam:2", "beam:3"]);
    let mean_sums: Vec<f32> = four.iter().map(|h| h.log_probability).collect();
    assert!(mean_sums.is_sorted_by(|a, b| a >= b), "length penalty 1 ranks by the mean: {mean_sums:?}");
    let wide = ask(0, 6);
    assert_eq!(wide.len(), 6);
    assert!(wide[0].log_probability >= one[0].log_probability, "a wider beam of this model finds no worse");
    assert_eq!(wide[5].origin, "beam:5");
}

#[test]
fn empty_texts_need_no_model_and_keep_their_places() {
    let mut engine = engine(2, None);
    let found = engine.translate(&batch(&["", "نعم", " \u{a0}\n", "\u{200f}"]), &DecodeParams::default()).unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 1]);
    assert!([0, 2, 3].iter().all(|&i| found[i][0].text.is_empty()) && found[1][0].tokens > 0);
    assert_eq!(found[0][0].origin, "empty");
    let seen = engine.model().seen.lock().unwrap().reads;
    assert_eq!(seen, 1, "one text was read");
}

#[test]
fn a_paragraph_without_a_full_stop_comes_out_piece_by_piece() {
    let words: Vec<String> = (0..3000).map(|i| "ك".repeat(1 + i % 7)).collect();
    let paragraph = words.join(" ");
    let engine = engine(2, Some(64));
    let how = Decoding { trace: true, ..Decoding::default() };
    let decoded = engine.decode(&[&paragraph, "نعم"], &how, &Silent).unwrap().remove(0).unwrap().remove(0);
    let trace = decoded.trace.unwrap();
    assert_eq!(trace.target_pieces.len(), decoded.ids.len());
    assert_eq!(trace.attention.len(), decoded.ids.len());
    assert!(trace.attention.iter().all(|row| row.len() == trace.source_pieces.len()));
    let ends = trace.source_pieces.iter().filter(|piece| *piece == "</s>").count();
    assert!((47..200).contains(&ends), "pieces of at most 64 tokens: {ends}");
    assert_eq!(trace.source_pieces.len() - ends, 3000, "every word was read");
    let ended = decoded.ids.iter().filter(|&&id| id == END).count();
    assert!(decoded.hypothesis.finish != Finish::Stop || ended == ends, "every piece was written");
}

#[test]
fn ten_thousand_lines_come_back_in_order() {
    let engine = engine(2, None);
    let words: Vec<String> = (0..37).map(|n| "ك".repeat(n)).collect();
    let singles: Vec<Hypothesis> =
        words.iter().map(|word| engine.best(&[word], &Decoding::default(), &Silent).unwrap().remove(0)).collect();
    let lines: Vec<&str> = (0..10_000).map(|i| words[i * i % 37].as_str()).collect();
    let found = engine.best(&lines, &Decoding::default(), &Silent).unwrap();
    assert_eq!(found.len(), 10_000);
    assert!(found.iter().enumerate().all(|(i, found)| *found == singles[i * i % 37]));
    assert!(singles[1..].iter().any(|one| one.text != singles[1].text), "the words can be told apart");
}

#[test]
fn a_text_within_the_limits_is_one_source() {
    let engine = engine(2, Some(512));
    let how = Decoding { trace: true, ..Decoding::default() };
    for (words, piece_tokens, pieces) in [(199, 0, 1), (200, 0, 2), (200, 201, 1), (600, 1000, 2)] {
        let text = vec!["كلمة"; words].join(" ");
        let how = Decoding { piece_tokens, ..how.clone() };
        let trace = engine.decode(&[&text], &how, &Silent).unwrap().remove(0).unwrap().remove(0).trace.unwrap();
        assert_eq!(trace.source_pieces.iter().filter(|piece| *piece == "</s>").count(), pieces);
    }
}

#[test]
fn forced_lengths_are_exact_for_every_line() {
    let engine = engine(4, None);
    let how = Decoding { force_tokens: Some(30), ..Decoding::default() };
    for beams in [1, 4] {
        let lines = ["نعم", "لا شكرا", "اتفقت الدول على الخطة"];
        let found = engine.best(&lines, &Decoding { beams, ..how.clone() }, &Silent).unwrap();
        assert_eq!(found.iter().map(|h| h.tokens).collect::<Vec<_>>(), [30, 30, 30]);
    }
}

#[test]
fn what_reaches_the_limit_says_so() {
    let engine = engine(1, None);
    let found = engine.best(&["نعم"], &Decoding { max_new_tokens: 1, ..Decoding::default() }, &Silent).unwrap();
    assert_eq!((found[0].tokens, found[0].finish), (1, Finish::Length));
    assert_eq!(found[0].origin, "greedy");
}

#[test]
fn the_user_can_stop_a_batch() {
    struct Stop;
    impl Progress for Stop {
        fn cancelled(&self) -> bool {
            true
        }
    }
    let stopped = engine(2, None).translate_watched(&batch(&["نعم"]), &DecodeParams::default(), &Stop);
    assert!(matches!(stopped, Err(Error::Cancelled)));
}

/// Answers everything with the same words, and keeps what it was asked.
struct Asked(Mutex<Vec<(Vec<String>, DecodeParams)>>);

impl Engine for Asked {
    fn translate(&mut self, batch: &Batch, params: &DecodeParams) -> Result<Vec<Vec<Hypothesis>>, Error> {
        let sources = batch.requests.iter().map(|request| request.source.clone()).collect();
        self.0.lock().unwrap().push((sources, params.clone()));
        let hypothesis = Hypothesis {
            text: "The minister arrived in Chad".into(),
            log_probability: -0.5,
            tokens: 6,
            finish: Finish::Stop,
            origin: "beam:0".into(),
        };
        Ok(vec![vec![hypothesis]; batch.requests.len()])
    }

    fn source_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn limits(&self) -> Limits {
        Limits { max_source_tokens: 256, max_batch_tokens: 64 }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { model: "asked".into(), revision: "0".into(), decoding: "0".into() }
    }

    fn approach(&self) -> Approach {
        Approach::Beams
    }
}

#[test]
fn an_engine_of_beams_gets_a_document_at_once_and_only_failures_again() {
    let mut engine = Asked(Mutex::default());
    let good = "وصل الوزير إلى تشاد";
    let bad = "وصل الوزير إلى ليبيا، وقال إن بلاده ستواصل دعم الحوار";
    let sources: Vec<&str> = (0..20).map(|i| if i == 7 { bad } else { good }).collect();
    let checker = Checker::new(Glossary::builtin());
    let outcomes = rounds::sentences(&sources, &mut engine, &checker, Effort::Full, &Silent).unwrap();
    assert!(outcomes[3].judged.verdicts.is_empty(), "{:?}", outcomes[3].judged.verdicts);
    assert!(!outcomes[7].judged.verdicts.is_empty());
    let asked = engine.0.into_inner().unwrap();
    assert_eq!(asked[0].0.len(), 20);
    assert_eq!((asked[0].1.greedy, asked[0].1.samples), (4, 0));
    assert_eq!(asked[1].0, [bad]);
    assert_eq!((asked[1].1.greedy, asked[1].1.samples, asked[1].1.no_repeat_ngram), (0, 8, 8));
    assert!(
        asked.len() <= 3
            && asked.iter().skip(2).all(|(sources, _)| sources.iter().all(|part| bad.contains(part.as_str())))
    );
}
