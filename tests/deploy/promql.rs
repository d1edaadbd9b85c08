//! As much of PromQL as it takes to find the names in a query: selectors with their matchers, and labels that are grouped or matched by.
//! A tokenizer, and one look ahead.

/// A metric that a query asks for, and its matchers: label, operator, value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) matchers: Vec<(String, String, String)>,
}

/// The names in a query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) selectors: Vec<Selector>,
    /// Labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`.
    pub(crate) labels: Vec<String>,
}

/// Words before a list of labels.
const GROUPS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Words that are no metric.
const WORDS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "inf"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Number,
    /// What stands in brackets: a range.
    Range,
    Sign(String),
}

/// Finds the names.
pub(crate) fn read(query: &str) -> Result<Names, String> {
    let tokens = tokens(query)?;
    let (mut names, mut at) = (Names::default(), 0);
    while let Some(token) = tokens.get(at) {
        at += 1;
        let Token::Name(name) = token else { continue };
        let next = tokens.get(at);
        if GROUPS.contains(&name.as_str()) {
            let (list, end) = until(&tokens, at, "(", ")")?;
            names.labels.extend(list.iter().filter_map(|token| match token {
                Token::Name(label) => Some(label.clone()),
                _ => None,
            }));
            at = end;
        } else if next == Some(&Token::Sign("{".to_owned())) {
            let (list, end) = until(&tokens, at, "{", "}")?;
            names.selectors.push(Selector { metric: name.clone(), matchers: matchers(list)? });
            at = end;
        } else if next != Some(&Token::Sign("(".to_owned()))
            && !WORDS.contains(&name.as_str())
            // An aggregation whose labels come first: `sum by (x) (…)`.
            && !matches!(next, Some(Token::Name(word)) if word == "by" || word == "without")
        {
            names.selectors.push(Selector { metric: name.clone(), matchers: Vec::new() });
        }
    }
    Ok(names)
}

/// The tokens between two signs, and where they end.
fn until<'t>(tokens: &'t [Token], at: usize, open: &str, close: &str) -> Result<(&'t [Token], usize), String> {
    let sign = |text: &str| Token::Sign(text.to_owned());
    if tokens.get(at) != Some(&sign(open)) {
        return Err(format!("{open} is missing"));
    }
    let length = tokens[at..].iter().position(|token| *token == sign(close)).ok_or(format!("{close} is missing"))?;
    Ok((&tokens[at + 1..at + length], at + length + 1))
}

fn matchers(list: &[Token]) -> Result<Vec<(String, String, String)>, String> {
    let matcher = |matcher: &[Token]| match matcher {
        [Token::Name(label), Token::Sign(operator), Token::Text(value)] => {
            Ok((label.clone(), operator.clone(), value.clone()))
        }
        other => Err(format!("no matcher: {other:?}")),
    };
    list.split(|token| *token == Token::Sign(",".to_owned())).filter(|part| !part.is_empty()).map(matcher).collect()
}

fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let (mut tokens, mut rest) = (Vec::new(), query.trim_start());
    while let Some(first) = rest.chars().next() {
        let (token, length) = token(first, rest)?;
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn token(first: char, rest: &str) -> Result<(Token, usize), String> {
    let while_in = |holds: fn(char) -> bool| rest.find(|c| !holds(c)).unwrap_or(rest.len());
    Ok(match first {
        'a'..='z' | 'A'..='Z' | '_' | ':' => {
            let length = while_in(|c| c.is_ascii_alphanumeric() || "_:".contains(c));
            (Token::Name(rest[..length].to_owned()), length)
        }
        // A number, or a duration after `offset`.
        '0'..='9' => (Token::Number, while_in(|c| c.is_ascii_alphanumeric() || c == '.')),
        '"' => {
            let length = rest[1..].find('"').ok_or("a text has no end")? + 2;
            (Token::Text(rest[1..length - 1].to_owned()), length)
        }
        '[' => (Token::Range, rest.find(']').ok_or("a range has no end")? + 1),
        '=' | '!' | '<' | '>' => {
            let length = while_in(|c| "=!<>~".contains(c));
            (Token::Sign(rest[..length].to_owned()), length)
        }
        '(' | ')' | '{' | '}' | ',' | '+' | '-' | '*' | '/' | '%' | '^' => (Token::Sign(first.to_string()), 1),
        other => return Err(format!("what is {other:?}?")),
    })
}

#[test]
fn names_are_found_wherever_they_stand() {
    let query = r#"histogram_quantile(0.99, sum by (instance, le) (rate(a_bucket{job="x",le!~"1"}[5m] offset 1h)))
        > on (topic) group_left 2 * b and c{} unless count_values("version", d) == bool 1"#;
    let selector = |metric: &str, matchers: &[(&str, &str, &str)]| Selector {
        metric: metric.to_owned(),
        matchers: matchers.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect(),
    };
    // `group_left` without a list is refused rather than guessed at.
    assert!(read(query).is_err());
    let names = read(&query.replace("group_left ", "")).unwrap();
    let found = [
        selector("a_bucket", &[("job", "=", "x"), ("le", "!~", "1")]),
        selector("b", &[]),
        selector("c", &[]),
        selector("d", &[]),
    ];
    assert_eq!(names.selectors, found);
    assert_eq!(names.labels, ["instance", "le", "topic"]);
    for broken in ["a{b}", "a{", "sum(a[5m)", "a{b=\"}", "§"] {
        assert!(read(broken).is_err(), "{broken}");
    }
}
