use super::{Codec, Format, STEP_BYTES};

const FORMATS: [Format; 4] = [
    Format::Deflate,
    Format::DeflateRaw,
    Format::Gzip,
    Format::Brotli,
];

fn run(codec: &mut Codec, input: &[u8], piece: usize) -> std::io::Result<Vec<u8>> {
    let mut output = Vec::new();
    for mut piece in input.chunks(piece.max(1)) {
        loop {
            let step = codec.step(piece)?;
            piece = &piece[step.taken..];
            output.extend_from_slice(&step.output);
            if step.taken == 0 && step.output.is_empty() {
                break;
            }
        }
    }
    loop {
        match codec.finish()? {
            rest if rest.is_empty() => return Ok(output),
            rest => output.extend_from_slice(&rest),
        }
    }
}

fn sample() -> Vec<u8> {
    (0..300_000_u32)
        .flat_map(|index| (index / 7).to_le_bytes())
        .collect()
}

#[test]
fn what_was_compressed_comes_back_whatever_the_pieces() {
    for format in FORMATS {
        for data in [Vec::new(), b"a".to_vec(), sample()] {
            let encoded = run(&mut Codec::new(format, true), &data, 10_000).expect("encoded");
            for piece in [1, 7, 100_000] {
                let decoded = run(&mut Codec::new(format, false), &encoded, piece);
                assert!(
                    decoded.expect("decoded") == data,
                    "{format:?} by {piece} bytes"
                );
            }
        }
    }
}

#[test]
fn data_that_breaks_off_or_goes_on_is_refused() {
    for format in FORMATS {
        let encoded = run(&mut Codec::new(format, true), &sample(), 10_000).expect("encoded");
        for cut in [0, 1, encoded.len() / 2, encoded.len() - 1] {
            let broken = run(&mut Codec::new(format, false), &encoded[..cut], 5000);
            assert!(broken.is_err(), "{format:?} cut at {cut}");
        }
        for piece in [1, 1 << 20] {
            let mut longer = encoded.clone();
            longer.push(0);
            let refused = run(&mut Codec::new(format, false), &longer, piece);
            assert!(refused.is_err(), "{format:?} and a byte more by {piece}");
        }
    }
}

#[test]
fn a_step_gives_no_more_than_its_share_of_a_bomb() {
    for format in FORMATS {
        let zeros = vec![0; 32 << 20];
        let bomb = run(&mut Codec::new(format, true), &zeros, 1 << 20).expect("encoded");
        assert!(bomb.len() < zeros.len() / 500, "{format:?}");
        let mut codec = Codec::new(format, false);
        let (mut input, mut total) = (bomb.as_slice(), 0);
        loop {
            let step = codec.step(input).expect("decoded");
            assert!(step.output.len() <= STEP_BYTES, "{format:?}");
            total += step.output.len();
            input = &input[step.taken..];
            if step.taken == 0 && step.output.is_empty() {
                break;
            }
        }
        assert_eq!(total, zeros.len(), "{format:?}");
    }
}
