"""The kernel in C and in Rust, by the standard library alone: pictures as binary PNM."""

from string import Template

import numpy as np

from kernel_demo.export.code import Snippet, grey_levels, rows

# The pixel that stands for index i of n, -1 where there is none: the same formulas in C and Rust.
# Rust's rem_euclid is never negative; C's % takes the sign of i and is put right by a second one.
_C_INSIDE = {
    "zero": "return i < 0 || i >= n ? -1 : i;",
    "replicate": "return i < 0 ? 0 : i >= n ? n - 1 : i;",
    "reflect": """int period = n > 1 ? 2 * n - 2 : 1;
    i = (i % period + period) % period;
    return i < n ? i : period - i;""",
    "symmetric": """int period = 2 * n;
    i = (i % period + period) % period;
    return i < n ? i : period - 1 - i;""",
    "wrap": "return (i % n + n) % n;",
}
_RUST_INSIDE = {
    "zero": "if i < 0 || i >= n { -1 } else { i }",
    "replicate": "i.clamp(0, n - 1)",
    "reflect": """let period = (2 * n - 2).max(1);
    let i = i.rem_euclid(period);
    if i < n { i } else { period - i }""",
    "symmetric": """let period = 2 * n;
    let i = i.rem_euclid(period);
    if i < n { i } else { period - 1 - i }""",
    "wrap": "i.rem_euclid(n)",
}

_C = Template("""\
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { K = $size, R = K / 2 };
static const double kernel[K][K] = {
$rows
};
static const double offset = $offset; /* grey levels */

/* The pixel that stands for index i of n: border "$border". */
static int inside(int i, int n) {
    $inside
}

int main(void) {
    int type, width, height, maximum;
    FILE *file = fopen("before.pnm", "rb");
    if (!file || fscanf(file, "P%d %d %d %d", &type, &width, &height, &maximum) != 4
        || (type != 5 && type != 6) || maximum != 255) {
        fprintf(stderr, "before.pnm is no 8-bit binary PGM or PPM\\n");
        return 1;
    }
    fgetc(file);
    int channels = type == 6 ? 3 : 1;
    size_t count = (size_t)width * height * channels;
    unsigned char *before = malloc(count), *after = malloc(count);
    if (!before || !after || fread(before, 1, count, file) != count) return 1;
    fclose(file);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) {
                double sum = offset;
                for (int i = 0; i < K; i++)
                    for (int j = 0; j < K; j++) {
                        int row = inside(y + i - R, height), column = inside(x + j - R, width);
                        if (row >= 0 && column >= 0)
                            sum += kernel[i][j]
                                * before[((size_t)row * width + column) * channels + c];
                    }
                sum = floor(sum + 0.5);
                after[((size_t)y * width + x) * channels + c] =
                    sum < 0 ? 0 : sum > 255 ? 255 : (unsigned char)sum;
            }

    file = fopen("after.pnm", "wb");
    if (!file) return 1;
    fprintf(file, "P%d %d %d 255\\n", type, width, height);
    fwrite(after, 1, count, file);
    return fclose(file);
}
""")

_RUST = Template("""\
use std::{error::Error, fs};

const K: usize = $size;
const KERNEL: [[f64; K]; K] = [
$rows
];
const OFFSET: f64 = $offset; // grey levels

/// The pixel that stands for index i of n: border "$border".
fn inside(i: isize, n: isize) -> isize {
    $inside
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = fs::read("before.pnm")?;
    let words = file.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let header: Result<Vec<&str>, _> = words.take(4).map(std::str::from_utf8).collect();
    let header = header?;
    let channels: usize = match header[..] {
        ["P5", _, _, "255"] => 1,
        ["P6", _, _, "255"] => 3,
        _ => return Err("before.pnm is no 8-bit binary PGM or PPM".into()),
    };
    let (width, height): (usize, usize) = (header[1].parse()?, header[2].parse()?);
    let count = width * height * channels;
    let before = &file[file.len().checked_sub(count).ok_or("before.pnm is cut short")?..];

    let mut after = format!("{} {width} {height} 255\\n", header[0]).into_bytes();
    for y in 0..height {
        for x in 0..width {
            for c in 0..channels {
                let mut sum = OFFSET;
                for i in 0..K {
                    let row = inside((y + i) as isize - (K / 2) as isize, height as isize);
                    for j in 0..K {
                        let column = inside((x + j) as isize - (K / 2) as isize, width as isize);
                        if row >= 0 && column >= 0 {
                            let pixel = (row as usize * width + column as usize) * channels + c;
                            sum += KERNEL[i][j] * f64::from(before[pixel]);
                        }
                    }
                }
                after.push((sum + 0.5).floor().clamp(0.0, 255.0) as u8);
            }
        }
    }
    fs::write("after.pnm", after)?;
    Ok(())
}
""")

_PNM = "magick before.png before.pnm makes its input, magick after.pnm after.png ends it."


def _fill(template: Template, kernel: np.ndarray, offset: float, border: str, **parts: str) -> str:
    return template.substitute(size=len(kernel), offset=grey_levels(offset), border=border, **parts)


def c(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """C99."""
    lines = rows(kernel, "{", "},")
    code = _fill(_C, kernel, offset, border, rows=lines, inside=_C_INSIDE[border])
    return Snippet("C", "c", code, f"cc -O2 filter.c -o filter -lm && ./filter. {_PNM}")


def rust(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """Rust 2021."""
    lines = rows(kernel, "[", "],")
    code = _fill(_RUST, kernel, offset, border, rows=lines, inside=_RUST_INSIDE[border])
    return Snippet("Rust", "rust", code, f"rustc -O filter.rs && ./filter. {_PNM}")
