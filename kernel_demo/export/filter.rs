use std::{error::Error, fs};

const K: usize = $size;
const KERNEL: [[f64; K]; K] = [
$rows
];
const OFFSET: f64 = $offset; // grey levels
const AROUND: f64 = $around; // grey levels, where inside() is -1

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

    $begin
    for y in $rows_of {
        for x in 0..width {
            for c in 0..channels {
                let mut sum = OFFSET;
                for i in 0..K {
                    let row = inside((y + i) as isize - (K / 2) as isize, height as isize);
                    for j in 0..K {
                        let column = inside((x + j) as isize - (K / 2) as isize, width as isize);
                        let value = if row < 0 || column < 0 {
                            AROUND
                        } else {
                            f64::from(before[(row as usize * width + column as usize) * channels + c])
                        };
                        sum += KERNEL[i][j] * value;
                    }
                }
                $push
            }
        }
    }
    fs::write("$file", after)?;
    Ok(())
}
