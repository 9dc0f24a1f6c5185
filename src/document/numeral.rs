//! The marks of items that office programs number by themselves.

/// What stands around the numbers of a mark, in bytes: what is longer is none, and every item would repeat it.
pub(super) const LONGEST_MARK: usize = 64;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Numeral {
    #[default]
    Decimal,
    /// With a zero before a single figure.
    DecimalZero,
    LowerLetter,
    UpperLetter,
    LowerRoman,
    UpperRoman,
    /// A bullet, whatever its picture.
    Bullet,
    None,
}

impl Numeral {
    pub(super) fn write(self, number: u32) -> String {
        match self {
            Self::Decimal => number.to_string(),
            Self::DecimalZero => format!("{number:02}"),
            Self::LowerLetter => letters(number),
            Self::UpperLetter => letters(number).to_ascii_uppercase(),
            Self::LowerRoman => roman(number),
            Self::UpperRoman => roman(number).to_ascii_uppercase(),
            Self::Bullet => "•".to_owned(),
            Self::None => String::new(),
        }
    }
}

/// `a` to `z`, then `aa` to `zz`, as Word and LibreOffice count.
fn letters(number: u32) -> String {
    const MOST_REPEATED: u32 = 8;
    let Some(index) = number.checked_sub(1) else {
        return "0".to_owned();
    };
    match index / 26 {
        times @ 0..MOST_REPEATED => {
            let letter = char::from(b'a' + (index % 26) as u8);
            std::iter::repeat_n(letter, times as usize + 1).collect()
        }
        _ => number.to_string(),
    }
}

fn roman(number: u32) -> String {
    const VALUES: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..4000).contains(&number) {
        return number.to_string();
    }
    let (mut rest, mut written) = (number, String::new());
    for (value, letters) in VALUES {
        while rest >= value {
            written += letters;
            rest -= value;
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_on_the_page() {
        for (numeral, number, written) in [
            (Numeral::Decimal, 12, "12"),
            (Numeral::DecimalZero, 3, "03"),
            (Numeral::LowerLetter, 3, "c"),
            (Numeral::UpperLetter, 28, "BB"),
            (Numeral::LowerLetter, u32::MAX, "4294967295"),
            (Numeral::LowerRoman, 1994, "mcmxciv"),
            (Numeral::UpperRoman, 0, "0"),
            (Numeral::Bullet, 5, "•"),
        ] {
            assert_eq!(numeral.write(number), written);
        }
    }
}
