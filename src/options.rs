//! Resolved options of a run; knows nothing of the command line.
//!
//! In: what the binary (or a caller of the library) decided. Out: the values that the stages read. Options that change
//! what a note says are part of its memory key ([`Options::key`]); options that only change how it is made are not here.

use crate::arabic::letters::{CLEANING, Rule};
use serde::{Deserialize, Serialize};

/// What is asked of notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How many bullets a summary has, 1 to 9.
    pub bullets: usize,
    /// The encoding to read text in, as a WHATWG label; detected where there is none.
    pub encoding: Option<String>,
    /// The fields of tables that hold the text, the headline and the date; the usual names where there are none.
    #[serde(default)]
    pub fields: FieldNames,
    /// Whether every text is read as Arabic, whatever language it seems to be in.
    #[serde(default)]
    pub force_language: bool,
    /// How the letters of a text are cleaned when it is read.
    #[serde(default = "cleaning")]
    pub cleaning: Vec<Rule>,
    /// How hard to try: how many hypotheses a segment gets.
    pub effort: Effort,
}

/// The names of the fields of tables that hold articles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldNames {
    /// The field that holds the text.
    pub text: Option<String>,
    /// The field that holds the headline.
    pub title: Option<String>,
    /// The field that holds the date.
    pub date: Option<String>,
}

/// How many hypotheses a segment gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// One greedy hypothesis, nothing steered, no retry: what a plain use of the model gives. For measuring.
    Plain,
    /// Several hypotheses, steered by the source's terms; what fails its checks is retried and split.
    #[default]
    Full,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bullets: 3,
            encoding: None,
            fields: FieldNames::default(),
            force_language: false,
            cleaning: cleaning(),
            effort: Effort::Full,
        }
    }
}

fn cleaning() -> Vec<Rule> {
    CLEANING.to_vec()
}

impl Options {
    /// Returns the options as one line, the same for the same options.
    pub fn key(&self) -> String {
        let encoding = self.encoding.as_deref().unwrap_or("detected");
        let effort = match self.effort {
            Effort::Plain => "plain",
            Effort::Full => "full",
        };
        let mut key = format!("bullets={} encoding={encoding} effort={effort}", self.bullets);
        let FieldNames { text, title, date } = &self.fields;
        for (name, field) in [("text", text), ("title", title), ("date", date)] {
            if let Some(field) = field {
                key += &format!(" {name}-field={field:?}");
            }
        }
        if self.force_language {
            key += " force-language";
        }
        if self.cleaning != CLEANING {
            key += &format!(" cleaning={:?}", self.cleaning);
        }
        key
    }
}
