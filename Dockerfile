FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -buildvcs=false -o /primes ./examples/primes

FROM alpine:3
COPY --from=build /primes /usr/local/bin/primes
USER nobody
ENTRYPOINT ["primes"]
