// A Fourier transform of one size, written for four lanes: 256 real samples as 128 complex ones,
// in Stockham's order (radix 4, 4, 4, 2), so that every load and store is of neighbours. The first
// pass runs across butterflies and turns its results around, the others run within one.

#include "engine/listen/fingerprint_fft.h"

#include <array>
#include <cmath>
#include <cstring>

namespace outpace::listen {
namespace {

using Lanes = float __attribute__((vector_size(16)));

constexpr size_t kPoints = 128;
constexpr double kPi = 3.14159265358979323846;

Lanes Load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}
void Store(float* to, Lanes lanes) { std::memcpy(to, &lanes, sizeof(lanes)); }
Lanes Reversed(Lanes lanes) { return __builtin_shufflevector(lanes, lanes, 3, 2, 1, 0); }

struct Complex {
  Lanes re, im;
};
Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
Complex TimesMinusI(Complex a) { return {a.im, -a.re}; }

struct Buffer {
  alignas(16) float re[kPoints];
  alignas(16) float im[kPoints];
  Complex At(size_t i) const { return {Load(re + i), Load(im + i)}; }
  void Put(size_t i, Complex c) {
    Store(re + i, c.re);
    Store(im + i, c.im);
  }
};

struct Tables {
  alignas(16) float turn_re[3][32], turn_im[3][32];  // first pass: e^(-2 pi i m p / 128), m = 1..3
  float pass_re[2][3][8], pass_im[2][3][8];          // second (n = 32) and third (n = 8)
  alignas(16) float split_re[kPoints], split_im[kPoints];  // e^(-2 pi i k / 256)
  Tables() {
    const auto turn = [](double share, float& re, float& im) {
      re = static_cast<float>(std::cos(2 * kPi * share));
      im = static_cast<float>(-std::sin(2 * kPi * share));
    };
    for (int m = 1; m <= 3; ++m) {
      for (int p = 0; p < 32; ++p) turn(m * p / 128.0, turn_re[m - 1][p], turn_im[m - 1][p]);
      for (int pass = 0; pass < 2; ++pass) {
        const int n = pass == 0 ? 32 : 8;
        for (int p = 0; p < n / 4; ++p) {
          turn(m * p / static_cast<double>(n), pass_re[pass][m - 1][p], pass_im[pass][m - 1][p]);
        }
      }
    }
    for (size_t k = 0; k < kPoints; ++k) {
      turn(static_cast<double>(k) / 256.0, split_re[k], split_im[k]);
    }
  }
};
const Tables& TheTables() {
  static const Tables kTables;
  return kTables;
}

Complex Same(float re, float im) { return {Lanes{re, re, re, re}, Lanes{im, im, im, im}}; }

struct Four {
  Complex out[4];
};
Four Butterfly(Complex a, Complex b, Complex c, Complex d) {
  const Complex sum = a + c, difference = a - c, sum2 = b + d, turned = TimesMinusI(b - d);
  return {{sum + sum2, difference + turned, sum - sum2, difference - turned}};
}

void Turn4x4(Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
  const Lanes ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Lanes ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Lanes cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Lanes cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

void FirstPass(const Buffer& in, Buffer& out, const Tables& tables) {
  for (size_t p = 0; p < 32; p += 4) {
    Four f = Butterfly(in.At(p), in.At(p + 32), in.At(p + 64), in.At(p + 96));
    for (size_t m = 0; m < 3; ++m) {
      f.out[m + 1] =
          f.out[m + 1] * Complex{Load(tables.turn_re[m] + p), Load(tables.turn_im[m] + p)};
    }
    Turn4x4(f.out[0].re, f.out[1].re, f.out[2].re, f.out[3].re);
    Turn4x4(f.out[0].im, f.out[1].im, f.out[2].im, f.out[3].im);
    for (size_t i = 0; i < 4; ++i) out.Put(4 * (p + i), f.out[i]);
  }
}

// One pass over `n` points each of `stride` neighbours; n * stride = 128.
void InnerPass(const Buffer& in, Buffer& out, const Tables& tables, size_t pass, size_t n,
               size_t stride) {
  const size_t quarter = n / 4;
  for (size_t p = 0; p < quarter; ++p) {
    Complex turn[3];
    for (size_t m = 0; m < 3; ++m) {
      turn[m] = Same(tables.pass_re[pass][m][p], tables.pass_im[pass][m][p]);
    }
    for (size_t q = 0; q < stride; q += 4) {
      const Four f =
          Butterfly(in.At(q + stride * p), in.At(q + stride * (p + quarter)),
                    in.At(q + stride * (p + 2 * quarter)), in.At(q + stride * (p + 3 * quarter)));
      out.Put(q + stride * 4 * p, f.out[0]);
      for (size_t m = 0; m < 3; ++m) out.Put(q + stride * (4 * p + m + 1), f.out[m + 1] * turn[m]);
    }
  }
}

}  // namespace

void PowerSpectrum256(const float* samples, float* power) {
  const Tables& tables = TheTables();
  Buffer a, b;
  for (size_t i = 0; i < kPoints; i += 4) {
    const Lanes first = Load(samples + 2 * i), second = Load(samples + 2 * i + 4);
    a.Put(i, {__builtin_shufflevector(first, second, 0, 2, 4, 6),
              __builtin_shufflevector(first, second, 1, 3, 5, 7)});
  }
  FirstPass(a, b, tables);
  InnerPass(b, a, tables, 0, 32, 4);
  InnerPass(a, b, tables, 1, 8, 16);
  for (size_t q = 0; q < 64; q += 4) {
    a.Put(q, b.At(q) + b.At(q + 64));
    a.Put(q + 64, b.At(q) - b.At(q + 64));
  }
  // The even and the odd samples' spectra, put together: X[k] = E + e^(-2 pi i k / 256) O, where
  // 2 E = Z[k] + conj Z[128 - k] and 2 i O = Z[k] - conj Z[128 - k].
  power[0] = 0;
  for (size_t k = 1; k < kPoints; k += 4) {
    const size_t here = k + 3 < kPoints ? k : kPoints - 4;  // the last four overlap
    const Complex z = a.At(here);
    const Complex mirror = {Reversed(Load(a.re + kPoints - here - 3)),
                            -Reversed(Load(a.im + kPoints - here - 3))};
    const Complex even = z + mirror, odd = TimesMinusI(z - mirror);
    const Complex x =
        even + odd * Complex{Load(tables.split_re + here), Load(tables.split_im + here)};
    const Lanes quarter = {0.25f, 0.25f, 0.25f, 0.25f};
    Store(power + here, (x.re * x.re + x.im * x.im) * quarter);
  }
}

}  // namespace outpace::listen
