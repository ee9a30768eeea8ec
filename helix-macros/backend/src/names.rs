//! Names: what is one, and which one was probably meant.

use syn::Ident;
use syn::ext::IdentExt;

/// The rule for names of modules, services, topics and features, as messages tell it.
pub const RULE: &str =
    "a name is lower-case words and digits joined by single `.`, `_`, `/` or `-`, at most 64 bytes, such as `core/ecs`";

/// Whether a text is a name: `[a-z0-9]+([._/-][a-z0-9]+)*`, at most 64 bytes.
pub fn is_name(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.len() <= 64 && text.split(['.', '_', '/', '-']).all(word)
}

/// Whether a text is a plain identifier, as a request's name must be.
pub fn is_identifier(text: &str) -> bool {
    !text.starts_with("r#") && syn::parse::Parser::parse_str(Ident::parse_any, text).is_ok()
}

/// `RoundRobin` becomes `round-robin`.
pub fn kebab_case(ident: &Ident) -> String {
    let text = ident.unraw().to_string();
    let chars: Vec<char> = text.chars().collect();
    let mut name = String::new();
    for (at, &char) in chars.iter().enumerate() {
        let begins_word = char.is_uppercase()
            && at > 0
            && (!chars[at - 1].is_uppercase() || chars.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if (begins_word || char == '_') && !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
        if char != '_' {
            name.extend(char.to_lowercase());
        }
    }
    name.trim_end_matches('-').to_owned()
}

/// `unknown option `x`: did you mean `y`? expected one of ..`, with darling's sense of likeness.
pub fn unknown(what: &str, found: &str, known: &[&str]) -> String {
    let likely = darling::Error::unknown_field_with_alts(found, known).to_string();
    let likely = likely.split_once("Did you mean").map(|(_, rest)| format!(" did you mean{rest}")).unwrap_or_default();
    let likely = if likely.is_empty() || likely.ends_with('?') { likely } else { likely + "?" };
    let known = match known {
        [only] => format!("`{only}`"),
        known => format!("one of {}", known.join(", ")),
    };
    format!("unknown {what} `{found}`:{likely} expected {known}")
}
