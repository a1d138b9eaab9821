#pragma once

namespace outpace {

// Builds one visitor for std::visit out of several lambdas.
template <typename... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overload(Ts...) -> Overload<Ts...>;

}  // namespace outpace
