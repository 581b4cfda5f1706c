//! What stands between the braces of `FIND {…}`: words, phrases, wildcards, operators.
//!
//! Follows the *SOQL and SOSL Reference*, "FIND {SearchQuery}". An operator without one of its sides
//! is a word like any other.

use super::words::folded;

/// How deep parentheses go.
const NESTING_MAX: usize = 50;

/// Characters that stand for themselves only behind a backslash.
const RESERVED: &str = "&|!{}[]^~:'+-";

/// What is searched for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// Words that follow one another in a field.
    Phrase(Vec<Pattern>),
    /// All are found in the record.
    And(Vec<Term>),
    /// One is found in the record.
    Or(Vec<Term>),
    /// It is not found in the record.
    Not(Box<Term>),
}

/// A word of a phrase.
pub(super) type Pattern = Vec<Piece>;

/// A part of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character, in lower case and without accent.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any number of characters.
    Run,
}

/// Why a text is nothing to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mistake {
    /// A character that is not to stand here.
    Mismatched {
        /// Where, in bytes.
        at: usize,
        /// Which; `None` is the end.
        found: Option<char>,
        /// What would have been right.
        expected: char,
    },
    /// Fewer than two letters and digits.
    TooShort,
}

/// A part of the text.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open(usize),
    Close(usize),
    And,
    AndNot,
    Or,
    /// The words, and the text that they are of.
    Words(Vec<Pattern>),
}

/// Reads a text, escapes and quotes included.
pub(super) fn parse(text: &str) -> Result<Term, Mistake> {
    let tokens = with_operands(tokens(text)?);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        end: text.len(),
    };
    let term = parser.or(0)?;
    if let Some(Token::Close(at)) = parser.peek() {
        return Err(mismatched(*at, Some(')'), '}'));
    }
    if letters(&tokens) < 2 {
        return Err(Mistake::TooShort);
    }
    Ok(term)
}

/// Puts a backslash before what has a meaning of its own in a search, but for wildcards, quotes and
/// parentheses.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' || RESERVED.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn mismatched(at: usize, found: Option<char>, expected: char) -> Mistake {
    Mistake::Mismatched {
        at,
        found,
        expected,
    }
}

fn letters(tokens: &[Token]) -> usize {
    let pieces = tokens.iter().flat_map(|token| match token {
        Token::Words(words) => words.concat(),
        _ => Vec::new(),
    });
    pieces
        .filter(|piece| matches!(piece, Piece::Char(_)))
        .count()
}

fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '(' => tokens.push(Token::Open(at)),
            ')' => tokens.push(Token::Close(at)),
            '"' => {
                let mut phrase = Words::default();
                loop {
                    match chars.next() {
                        None => return Err(mismatched(text.len(), None, '"')),
                        Some((_, '"')) => break,
                        Some((_, '\\')) => phrase.literal(chars.next().map_or(' ', |(_, c)| c)),
                        Some((_, c)) => phrase.literal(c),
                    }
                }
                tokens.push(Token::Words(phrase.done()));
            }
            c if c.is_whitespace() => {}
            _ => {
                let mut word = Words::default();
                let mut next = Some((at, c));
                while let Some((at, c)) = next {
                    match c {
                        '\\' => word.literal(chars.next().map_or(' ', |(_, c)| c)),
                        '*' => word.piece(Piece::Run),
                        '?' => word.piece(Piece::One),
                        c if RESERVED.contains(c) => return Err(mismatched(at, Some(c), '}')),
                        c => word.literal(c),
                    }
                    next = chars.next_if(|(_, c)| !c.is_whitespace() && !"()\"".contains(*c));
                }
                tokens.push(word.token());
            }
        }
    }
    Ok(tokens)
}

/// Words under construction.
#[derive(Default)]
struct Words {
    done: Vec<Pattern>,
    word: Pattern,
}

impl Words {
    fn literal(&mut self, c: char) {
        for c in folded(c.encode_utf8(&mut [0; 4])) {
            if c.is_alphanumeric() {
                self.word.push(Piece::Char(c));
            } else {
                self.end();
            }
        }
    }

    fn piece(&mut self, piece: Piece) {
        // A word does not begin with `*` (*SOQL and SOSL Reference*: in the middle or at the end).
        if piece != Piece::Run || !self.word.is_empty() {
            self.word.push(piece);
        }
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            self.done.push(std::mem::take(&mut self.word));
        }
    }

    fn done(mut self) -> Vec<Pattern> {
        self.end();
        self.done
    }

    /// Gives the operator that these are, or the words.
    fn token(self) -> Token {
        let words = self.done();
        let is = |text: &str| {
            let text: Pattern = text.chars().map(Piece::Char).collect();
            words == [text]
        };
        match () {
            () if is("and") => Token::And,
            () if is("or") => Token::Or,
            () => Token::Words(words),
        }
    }
}

/// Makes a word of every operator that lacks a side, and one operator of `AND NOT`.
fn with_operands(tokens: Vec<Token>) -> Vec<Token> {
    let not = Token::Words(vec![word("not")]);
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let mut token = token;
        if token == Token::And && rest.peek() == Some(&not) {
            rest.next();
            token = Token::AndNot;
        }
        let begins = matches!(rest.peek(), Some(Token::Words(_) | Token::Open(_)));
        let ended = matches!(kept.last(), Some(Token::Words(_) | Token::Close(_)));
        match token {
            Token::And | Token::Or | Token::AndNot if !(begins && ended) => {
                let text: &[&str] = match token {
                    Token::And => &["and"],
                    Token::Or => &["or"],
                    _ => &["and", "not"],
                };
                kept.extend(text.iter().map(|text| Token::Words(vec![word(text)])));
            }
            token => kept.push(token),
        }
    }
    kept
}

fn word(text: &str) -> Pattern {
    text.chars().map(Piece::Char).collect()
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn or(&mut self, depth: usize) -> Result<Term, Mistake> {
        let mut any = vec![self.and(depth)?];
        while self.peek() == Some(&Token::Or) {
            self.at += 1;
            any.push(self.and(depth)?);
        }
        Ok(single(any, Term::Or))
    }

    /// Words side by side are all found, as if `AND` stood between them.
    fn and(&mut self, depth: usize) -> Result<Term, Mistake> {
        let mut all = Vec::new();
        loop {
            let negated = self.peek() == Some(&Token::AndNot);
            if negated || self.peek() == Some(&Token::And) {
                self.at += 1;
            }
            let term = match self.peek() {
                Some(Token::Words(words)) => Term::Phrase(words.clone()),
                Some(Token::Open(at)) if depth >= NESTING_MAX => {
                    return Err(mismatched(*at, Some('('), '}'));
                }
                Some(Token::Open(_)) => {
                    self.at += 1;
                    let inner = self.or(depth + 1)?;
                    if !matches!(self.peek(), Some(Token::Close(_))) {
                        return Err(mismatched(self.end, None, ')'));
                    }
                    inner
                }
                _ => return Ok(single(all, Term::And)),
            };
            self.at += 1;
            all.push(if negated {
                Term::Not(Box::new(term))
            } else {
                term
            });
        }
    }
}

fn single(mut terms: Vec<Term>, several: fn(Vec<Term>) -> Term) -> Term {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            several(terms)
        }
        None => several(terms),
    }
}

impl Term {
    /// Says whether a record is found whose searched fields have these words.
    pub(super) fn matches(&self, fields: &[Vec<Vec<char>>]) -> bool {
        match self {
            Self::Phrase(patterns) => fields.iter().any(|words| has_phrase(words, patterns)),
            Self::And(all) => all.iter().all(|term| term.matches(fields)),
            Self::Or(any) => any.iter().any(|term| term.matches(fields)),
            Self::Not(term) => !term.matches(fields),
        }
    }
}

fn has_phrase(words: &[Vec<char>], patterns: &[Pattern]) -> bool {
    // What has no letter, such as a dash, is no reason not to find a record.
    patterns.is_empty()
        || words.windows(patterns.len()).any(|words| {
            let mut pairs = words.iter().zip(patterns);
            pairs.all(|(word, pattern)| is_match(word, pattern))
        })
}

fn is_match(word: &[char], pattern: &[Piece]) -> bool {
    let (mut at, mut piece) = (0, 0);
    // Where the last `*` stands, and how far it reaches.
    let mut run: Option<(usize, usize)> = None;
    while at < word.len() {
        match pattern.get(piece) {
            Some(Piece::Run) => {
                run = Some((piece, at));
                piece += 1;
            }
            Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Char(c)) if *c == word[at] => (at, piece) = (at + 1, piece + 1),
            _ => match &mut run {
                Some((start, reach)) => {
                    *reach += 1;
                    (at, piece) = (*reach, *start + 1);
                }
                None => return false,
            },
        }
    }
    pattern[piece..].iter().all(|piece| *piece == Piece::Run)
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test ends at the first surprise")]
mod tests {
    use super::super::words::words;
    use super::*;
    use proptest::prelude::*;

    fn found(find: &str, fields: &[&str]) -> bool {
        let fields: Vec<_> = fields.iter().map(|text| words(text)).collect();
        match parse(find) {
            Ok(term) => term.matches(&fields),
            Err(mistake) => panic!("{find}: {mistake:?}"),
        }
    }

    #[test]
    fn records_are_found_by_their_words() {
        let fields = ["Émile Zola & Sons", "zola@acme.example", "San Francisco"];
        for (find, expected) in [
            ("zola", true),
            ("ZOLA emile", true),
            ("emile francisco", true),
            ("zol", false),
            ("zol*", true),
            ("z*a", true),
            ("z?la", true),
            ("zol?*", true),
            ("zola?", false),
            ("*ola", false),
            ("\"emile zola\"", true),
            ("\"zola emile\"", false),
            ("\"sons zola\"", false),
            ("\"san francisco\" AND zola", true),
            ("zola AND berlin", false),
            ("zola OR berlin", true),
            ("zola and not berlin", true),
            ("zola AND NOT san", false),
            ("berlin OR paris AND zola", false),
            ("(berlin OR zola) AND san", true),
            ("berlin OR (zola san)", true),
            ("zola@acme.example", true),
            ("acme.zola", false),
            (r"zola \- sons", true),
            (r"zola\+san", false),
            ("\"zola & sons\"", true),
            // An operator with one side is a word.
            ("zola AND", false),
            ("or zola", false),
            ("NOT zola", false),
        ] {
            assert_eq!(found(find, &fields), expected, "{find}");
        }
    }

    #[test]
    fn what_is_nothing_to_search_for_is_refused() {
        let at = |at, found, expected| mismatched(at, found, expected);
        for (find, mistake) in [
            ("a", Mistake::TooShort),
            ("a*", Mistake::TooShort),
            ("\"é\"", Mistake::TooShort),
            ("**", Mistake::TooShort),
            ("john|jane", at(4, Some('|'), '}')),
            ("Marie-Pier", at(5, Some('-'), '}')),
            ("(john", at(5, None, ')')),
            ("john)", at(4, Some(')'), '}')),
            ("john \"smith", at(11, None, '"')),
        ] {
            assert_eq!(parse(find), Err(mistake), "{find}");
        }
        let deep = format!("{}ab{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(parse(&deep), Err(mismatched(50, Some('('), '}')));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-c&|(){}\"\\\\*? AND ORNOT]{0,20}") {
            if let Ok(term) = parse(&text) {
                term.matches(&[words("a b c")]);
            }
        }

        #[test]
        fn an_escaped_text_has_no_reserved_character(text in "[^\"()]{2,20}") {
            let mistake = parse(&escaped(&text)).err();
            prop_assert!(matches!(mistake, None | Some(Mistake::TooShort)), "{mistake:?}");
        }

        #[test]
        fn a_word_is_found_by_itself_and_its_beginning(word in "[a-z]{2,8}", cut in 1usize..8) {
            let cut = cut.clamp(2, word.len());
            let (whole, begun) = (format!("\"{word}\""), format!("{}*", &word[..cut]));
            let other = format!("{begun}x");
            prop_assert!(found(&whole, &[&word]));
            prop_assert!(found(&begun, &[&word]));
            prop_assert_eq!(found(&other, &[&word]), word[cut..].ends_with('x'));
        }
    }
}
