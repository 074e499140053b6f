// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Holds the newest checkpoint of append-only logs, and refuses a history that was rewritten
/// @notice Whoever sends checkpoints has a state of their own for each log; nobody else can touch
/// it. From the first checkpoint on each one needs a consistency proof from the one before it
/// (RFC 9162 section 2.1.4, with SHA-256). There is no owner, no money, no way to change the code.
/// @dev docs/spec/append-only-log.md says it in words and has the numbers of rules and steps.
contract AppendOnlyLog {
    /// Two slots: the root, and both sizes.
    struct Head {
        bytes32 root;
        uint64 size;
        uint64 since;
    }

    uint64 private constant MAX_SIZE = 2 ** 63 - 1;
    uint256 private constant MAX_PATH = 63;
    /// SHA-256(0x01 || 64 zeros)
    bytes32 private constant NODE_OF_ZEROS =
        0xae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577;

    mapping(address sender => mapping(bytes32 origin => Head head)) private heads;

    /// @notice A checkpoint is held from now on. There is one such event for each size of a log that
    /// a sender appended, ever.
    /// @param origin SHA-256 of the log's origin
    /// @param previous the size that was held before; 0 where this is the first one, which was
    /// taken as it is
    event Appended(
        address indexed sender,
        bytes32 indexed origin,
        uint64 indexed size,
        bytes32 root,
        uint64 previous
    );

    error NoSha256();
    error SizeOutOfRange(uint64 size);
    error TooManyHashes(uint256 hashes);
    error SmallerSize(uint64 size, uint64 held);
    error OtherRoot(uint64 size, bytes32 root, bytes32 held);
    error WrongPathLength(uint256 hashes, uint64 from, uint64 to);
    error OldRootMismatch(bytes32 computed, bytes32 held);
    error NewRootMismatch(bytes32 computed, bytes32 root);

    /// Rule 5: where nothing lies at SHA-256's address a call succeeds and computes nothing.
    constructor() {
        if (_node(0, 0) != NODE_OF_ZEROS) revert NoSha256();
    }

    /// @notice Hold a newer checkpoint of a log; or the same one again, which changes nothing.
    /// @param origin SHA-256 of the log's origin
    /// @param size its leaves, 1 to 2^63 - 1
    /// @param root over these leaves
    /// @param path the consistency path from the size that is held to this one, as RFC 9162 section
    /// 2.1.4.1 has it; empty for the first checkpoint
    function append(bytes32 origin, uint64 size, bytes32 root, bytes32[] calldata path) external {
        // append-only-log.md, step 1.
        if (size == 0 || size > MAX_SIZE) revert SizeOutOfRange(size);
        if (path.length > MAX_PATH) revert TooManyHashes(path.length);
        Head storage head = heads[msg.sender][origin];
        uint64 held = head.size;
        if (held == 0) {
            // append-only-log.md, step 2.
            if (path.length != 0) revert WrongPathLength(path.length, 0, size);
            head.since = size;
        } else {
            // append-only-log.md, step 3.
            bytes32 heldRoot = head.root;
            if (size < held) revert SmallerSize(size, held);
            if (size == held) {
                if (root != heldRoot) revert OtherRoot(size, root, heldRoot);
                return;
            }
            // append-only-log.md, step 4 and what follows.
            _verifyConsistency(held, heldRoot, size, root, path);
        }
        // append-only-log.md, step 8.
        head.root = root;
        head.size = size;
        emit Appended(msg.sender, origin, size, root, held);
    }

    /// @notice What is held of a log; zeros where there is nothing.
    /// @return size of the newest checkpoint
    /// @return root of the newest checkpoint
    /// @return since the size of the first one: append-only holds from there on
    function latest(
        address sender,
        bytes32 origin
    ) external view returns (uint64 size, bytes32 root, uint64 since) {
        Head storage head = heads[sender][origin];
        return (head.size, head.root, head.since);
    }

    /// @dev RFC 9162 section 2.1.4.2, with its names: `fn`, `sn`, `fr`, `sr`.
    /// Requires 0 < first < second < 2^63.
    function _verifyConsistency(
        uint64 first,
        bytes32 firstHash,
        uint64 second,
        bytes32 secondHash,
        bytes32[] calldata path
    ) private pure {
        uint256 hashes = path.length;
        uint256 fn = first - 1;
        uint256 sn = second - 1;
        // append-only-log.md, step 4.
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        // append-only-log.md, step 5. Nothing is left of fn where `first` is a power of two.
        uint256 next = 0;
        bytes32 fr = firstHash;
        if (fn != 0) {
            if (hashes == 0) revert WrongPathLength(hashes, first, second);
            fr = path[0];
            next = 1;
        }
        bytes32 sr = fr;
        // append-only-log.md, step 6.
        for (; next < hashes; ++next) {
            if (sn == 0) revert WrongPathLength(hashes, first, second);
            bytes32 c = path[next];
            if (fn & 1 == 1 || fn == sn) {
                fr = _node(c, fr);
                sr = _node(c, sr);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = _node(sr, c);
            }
            fn >>= 1;
            sn >>= 1;
        }
        // append-only-log.md, step 7.
        if (sn != 0) revert WrongPathLength(hashes, first, second);
        if (fr != firstHash) revert OldRootMismatch(fr, firstHash);
        if (sr != secondHash) revert NewRootMismatch(sr, secondHash);
    }

    /// @dev HASH(0x01 || left || right)
    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }
}
