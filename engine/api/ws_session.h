#pragma once

// Internal to engine/api: the server's side of one WebSocket. Includes Beast.

#include <memory>
#include <utility>

#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http/empty_body.hpp"
#include "boost/beast/http/message.hpp"
#include "boost/beast/http/string_body.hpp"
#include "engine/api/server_core.h"

namespace outpace::api {

namespace beast = boost::beast;
using SocketStream = beast::basic_stream<StreamProtocol>;

// Answers the upgrade `head` on `socket` and serves the WebSocket until it closes. `request` is
// what the handlers see. Server thread.
void StartWebSocketSession(const std::shared_ptr<Core>& core, StreamProtocol::socket socket,
                           Peer peer, const WebSocketHandler& handler, HttpRequest request,
                           beast::http::request<beast::http::string_body> head);

}  // namespace outpace::api
