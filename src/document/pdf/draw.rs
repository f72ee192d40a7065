//! What a page draws, as far as it is text: glyphs with their places.
//!
//! In: a page. Out: [`Glyph`]s in the order drawn, whether there are pictures, and how many glyphs say no letter. Forms are
//! drawn where they stand, within limits of depth and work: one may draw itself, or another ten times, and so on. Source:
//! ISO 32000-1, 8.3, 9.4 and 14.9.4 (`ActualText`).

use std::collections::BTreeMap;
use std::rc::Rc;

use hayro_syntax::content::UntypedIter;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use hayro_syntax::page::{Page, Resources};

use super::font::Font;
use super::turn::{self, Stroke};
use super::{Error, streams};

/// How deep forms stand in forms.
const MAX_DEPTH: usize = 12;

/// How many operators are carried out for one file: a page of a newspaper has some 50,000.
const MAX_OPERATORS: usize = 4_000_000;

/// How many glyphs are kept of one file: a book of a thousand pages has two million.
const MAX_GLYPHS: usize = 3_000_000;

/// How deep graphics states are kept.
const MAX_SAVED: usize = 256;

/// A glyph on the page, in points from the lower left corner.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    /// What it says, in the order of reading.
    pub text: String,
    /// Its left end.
    pub x0: f32,
    /// Its right end.
    pub x1: f32,
    /// Its baseline.
    pub y: f32,
    /// The size of its font.
    pub size: f32,
    /// Whether its font is bold.
    pub bold: bool,
}

/// What one page draws.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub glyphs: Vec<Glyph>,
    /// Glyphs that say no letter, because the font does not tell.
    pub unknown: usize,
    /// Pictures.
    pub pictures: usize,
    /// Whether letters come from a font that only claims a Latin encoding.
    pub claimed_latin: bool,
    /// How high the page is, as its lines are read.
    pub height: f32,
    /// Letters that are left out, since they run in another direction than most.
    pub turned: usize,
}

/// What is left of the work that a file may make.
#[derive(Debug)]
pub(super) struct Budget {
    operators: usize,
    glyphs: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { operators: MAX_OPERATORS, glyphs: MAX_GLYPHS }
    }
}

/// An affine transformation as PDF writes it.
type Matrix = [f32; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// Returns the transformation that does `first`, then `then`.
fn chain(first: Matrix, then: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = first;
    let [g, h, i, j, k, l] = then;
    [a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l]
}

#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    char_space: f32,
    word_space: f32,
    scale: f32,
    leading: f32,
    rise: f32,
}

struct Pen<'w> {
    drawn: &'w mut Drawn,
    strokes: Vec<Stroke>,
    budget: &'w mut Budget,
    fonts: &'w mut Fonts,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// Marked content that is open: none, or the words that stand for what it draws, taken by its first glyph.
    marked: Vec<Option<Actual>>,
}

/// Words that stand for glyphs.
struct Actual {
    words: String,
    /// Where the first of the glyphs is kept that it stands for.
    at: Option<usize>,
}

/// The fonts of a file that were read already, by the place of their object.
pub(super) type Fonts = BTreeMap<(i32, i32), Rc<Font>>;

/// Draws a page.
///
/// # Errors
/// Where it takes more work than a page of text does.
pub(super) fn draw(page: &Page<'_>, fonts: &mut Fonts, budget: &mut Budget) -> Result<Drawn, Error> {
    let mut drawn = Drawn::default();
    let content = content(page)?;
    let matrix = page.initial_transform(false).as_coeffs().map(|c| c as f32);
    let state =
        State { matrix, font: None, size: 0.0, char_space: 0.0, word_space: 0.0, scale: 1.0, leading: 0.0, rise: 0.0 };
    let mut pen = Pen {
        drawn: &mut drawn,
        strokes: Vec::new(),
        budget,
        fonts,
        state,
        saved: Vec::new(),
        text: IDENTITY,
        line: IDENTITY,
        marked: Vec::new(),
    };
    pen.run(&content, page.resources(), &mut Vec::new())?;
    let upright = turn::upright(pen.strokes, page.render_dimensions());
    (drawn.glyphs, drawn.height, drawn.turned) = (upright.glyphs, upright.height, upright.left_out);
    Ok(drawn)
}

fn content(page: &Page<'_>) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    if let Some(stream) = page.raw().get::<Stream<'_>>("Contents") {
        all = streams::unpacked(&stream)?.unwrap_or_default();
    } else if let Some(list) = page.raw().get::<Array<'_>>("Contents") {
        let mut left = 64 * 1024 * 1024usize;
        for stream in list.iter::<Stream<'_>>() {
            let part = streams::unpacked(&stream)?.unwrap_or_default();
            left =
                left.checked_sub(part.len()).ok_or_else(|| Error::Limit("a page has more than 64 MiB".to_owned()))?;
            all.extend_from_slice(&part);
            all.push(b'\n');
        }
    }
    Ok(all)
}

impl Pen<'_> {
    fn run(&mut self, content: &[u8], resources: &Resources<'_>, open: &mut Vec<Vec<u8>>) -> Result<(), Error> {
        let floor = self.saved.len();
        let mut instructions = UntypedIter::new(content);
        while let Some(instruction) = instructions.next() {
            self.budget.operators = self
                .budget
                .operators
                .checked_sub(1)
                .ok_or_else(|| Error::Limit(format!("its pages take more than {MAX_OPERATORS} steps to draw")))?;
            let operands: Vec<&Object<'_>> = instruction.operands().collect();
            let operator: &[u8] = instruction.operator;
            match operator {
                b"q" if self.saved.len() < MAX_SAVED => self.saved.push(self.state.clone()),
                b"Q" if self.saved.len() > floor => {
                    if let Some(state) = self.saved.pop() {
                        self.state = state;
                    }
                }
                b"cm" => {
                    if let Some(matrix) = six(&operands) {
                        self.state.matrix = chain(matrix, self.state.matrix);
                    }
                }
                b"Do" => self.form(&operands, resources, open)?,
                b"BI" | b"EI" => self.drawn.pictures += usize::from(operator == b"BI"),
                b"BMC" => self.mark(None),
                b"BDC" => self.mark(actual(&operands, resources)),
                b"EMC" => {
                    self.marked.pop();
                }
                b"Tf" => self.font(&operands, resources)?,
                _ => self.text_operator(operator, &operands)?,
            }
        }
        self.saved.truncate(floor);
        Ok(())
    }

    fn mark(&mut self, words: Option<String>) {
        if self.marked.len() < MAX_SAVED {
            self.marked.push(words.map(|words| Actual { words, at: None }));
        }
    }

    fn font(&mut self, operands: &[&Object<'_>], resources: &Resources<'_>) -> Result<(), Error> {
        let [Object::Name(name), Object::Number(size)] = operands else { return Ok(()) };
        self.state.size = size.as_f32();
        self.state.font = match resources.get_font(name) {
            None => None,
            Some(dict) => {
                let key = dict.obj_id().map(|id| (id.obj_number as i32, id.gen_number));
                match key.and_then(|key| self.fonts.get(&key)) {
                    Some(font) => Some(Rc::clone(font)),
                    None => {
                        let font = Rc::new(Font::read(&dict)?);
                        if let Some(key) = key {
                            self.fonts.insert(key, Rc::clone(&font));
                        }
                        Some(font)
                    }
                }
            }
        };
        Ok(())
    }

    fn text_operator(&mut self, operator: &[u8], operands: &[&Object<'_>]) -> Result<(), Error> {
        let number = |at: usize| match operands.get(at) {
            Some(Object::Number(number)) => number.as_f32(),
            _ => 0.0,
        };
        match operator {
            b"BT" => (self.text, self.line) = (IDENTITY, IDENTITY),
            b"Tc" => self.state.char_space = number(0),
            b"Tw" => self.state.word_space = number(0),
            b"Tz" => self.state.scale = number(0) / 100.0,
            b"TL" => self.state.leading = number(0),
            b"Ts" => self.state.rise = number(0),
            b"Td" => self.next_line(number(0), number(1)),
            b"TD" => {
                self.state.leading = -number(1);
                self.next_line(number(0), number(1));
            }
            b"Tm" => {
                if let Some(matrix) = six(operands) {
                    (self.text, self.line) = (matrix, matrix);
                }
            }
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => self.show_operand(operands.first().copied())?,
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.show_operand(operands.first().copied())?;
            }
            b"\"" => {
                (self.state.word_space, self.state.char_space) = (number(0), number(1));
                self.next_line(0.0, -self.state.leading);
                self.show_operand(operands.get(2).copied())?;
            }
            b"TJ" => {
                let Some(Object::Array(parts)) = operands.first() else { return Ok(()) };
                for part in parts.iter::<Object<'_>>() {
                    match part {
                        Object::Number(back) => {
                            let move_by = -back.as_f32() / 1000.0 * self.state.size * self.state.scale;
                            self.text = chain([1.0, 0.0, 0.0, 1.0, move_by, 0.0], self.text);
                        }
                        string => self.show_operand(Some(&string))?,
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.line = chain([1.0, 0.0, 0.0, 1.0, x, y], self.line);
        self.text = self.line;
    }

    fn show_operand(&mut self, operand: Option<&Object<'_>>) -> Result<(), Error> {
        let (Some(Object::String(bytes)), Some(font)) = (operand, self.state.font.clone()) else { return Ok(()) };
        for shown in font.show(bytes.as_bytes()) {
            let State { size, scale, rise, char_space, word_space, matrix, .. } = self.state;
            let place = chain(chain([size * scale, 0.0, 0.0, size, 0.0, rise], self.text), matrix);
            let spacing = char_space + if shown.blank { word_space } else { 0.0 };
            let advance = (shown.advance * size + spacing) * scale;
            self.text = chain([1.0, 0.0, 0.0, 1.0, advance, 0.0], self.text);
            self.glyph(shown.text, place, shown.advance, &font)?;
        }
        Ok(())
    }

    fn glyph(&mut self, text: Option<String>, place: Matrix, advance: f32, font: &Font) -> Result<(), Error> {
        let [a, b, c, d, e, f] = place;
        let size = c.hypot(d);
        if ![a, b, e, f].iter().all(|value| value.is_finite()) || size < 0.5 {
            return Ok(());
        }
        // A letter in a mirror, as fonts with a mirror of their own undo it, is read the nearer way up.
        let angle = if a * d - b * c < 0.0 && a < 0.0 { (-b).atan2(-a) } else { b.atan2(a) };
        let mut stroke = Stroke {
            text: String::new(),
            start: (e, f),
            end: (e + a * advance, f + b * advance),
            angle,
            size,
            bold: font.bold,
        };
        let mut words = text;
        if let Some(Some(actual)) = self.marked.iter_mut().rev().find(|marked| marked.is_some()) {
            match actual.at {
                // The words stand at the first glyph, which grows with each of the others on its line.
                Some(at) => {
                    if let Some(first) = self.strokes.get_mut(at) {
                        first.grow(&stroke);
                    }
                    return Ok(());
                }
                None => {
                    actual.at = Some(self.strokes.len());
                    words = Some(actual.words.clone());
                }
            }
        }
        let Some(text) = words.filter(|text| !text.is_empty() && !text.chars().all(|c| c == '\u{fffd}' || c == '\0'))
        else {
            self.drawn.unknown += 1;
            return Ok(());
        };
        self.budget.glyphs = self
            .budget
            .glyphs
            .checked_sub(1)
            .ok_or_else(|| Error::Limit(format!("it has more than {MAX_GLYPHS} letters")))?;
        self.drawn.claimed_latin |= font.claimed_latin;
        stroke.text = text;
        self.strokes.push(stroke);
        Ok(())
    }

    fn form(
        &mut self,
        operands: &[&Object<'_>],
        resources: &Resources<'_>,
        open: &mut Vec<Vec<u8>>,
    ) -> Result<(), Error> {
        let Some(Object::Name(name)) = operands.first() else { return Ok(()) };
        let Some(stream) = resources.get_x_object(name) else { return Ok(()) };
        let dict = stream.dict();
        if dict.get::<Name<'_>>("Subtype").as_deref() != Some(b"Form") {
            self.drawn.pictures += 1;
            return Ok(());
        }
        let id = stream.obj_id();
        let key = [id.obj_number.to_be_bytes(), id.gen_number.to_be_bytes()].concat();
        // A form within itself would be drawn for ever.
        if open.len() >= MAX_DEPTH || open.contains(&key) {
            return Ok(());
        }
        // Unpacking is work too.
        self.budget.operators = self.budget.operators.saturating_sub(1000);
        let Some(content) = streams::unpacked(&stream)? else { return Ok(()) };
        let before = self.state.clone();
        if let Some(matrix) = dict.get::<Array<'_>>("Matrix") {
            let values: Vec<f32> = matrix.iter::<f32>().take(6).collect();
            if let Ok(matrix) = Matrix::try_from(values) {
                self.state.matrix = chain(matrix, self.state.matrix);
            }
        }
        open.push(key);
        let done = match dict.get::<Dict<'_>>("Resources") {
            Some(own) => self.run(&content, &Resources::new(own), open),
            None => self.run(&content, resources, open),
        };
        open.pop();
        self.state = before;
        done
    }
}

fn six(operands: &[&Object<'_>]) -> Option<Matrix> {
    let mut values = [0.0; 6];
    for (value, operand) in values.iter_mut().zip(operands) {
        let Object::Number(number) = operand else { return None };
        *value = number.as_f32();
    }
    (operands.len() >= 6).then_some(values)
}

/// Returns the words that marked content says its glyphs stand for.
fn actual(operands: &[&Object<'_>], resources: &Resources<'_>) -> Option<String> {
    let words =
        |dict: &Dict<'_>| dict.get::<hayro_syntax::object::String<'_>>("ActualText").map(|s| super::facts::words(&s));
    match operands.get(1)? {
        Object::Dict(dict) => words(dict),
        Object::Name(name) => words(&resources.properties.get::<Dict<'_>>(&**name)?),
        _ => None,
    }
}
